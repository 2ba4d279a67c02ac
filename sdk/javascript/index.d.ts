/** A JSON Schema (draft 2020-12) with `"type": "object"` at the top. */
export type Schema = { type: 'object'; [keyword: string]: unknown };

/** What the host tells a run. */
export interface Context {
  /** The same when a run is started again: an idempotency key towards other services. */
  readonly callId: string;
  /** Milliseconds of wall-clock time left when the run starts. */
  readonly remainingMs: number;
  /** A pseudonym of the caller, where the operator gives it. */
  readonly caller?: string;
}

/** A picture or a sound, made by `image` or `audio`. */
export interface Media {
  readonly kind: 'image' | 'audio';
  readonly data: Uint8Array;
  readonly mimeType: string;
}

/** Text, a picture, a sound, or an object: the structured answer. */
export type Part = string | Media | object;

/** What a run gives. An array delivers its parts in order, with at most one object among them. */
export type Answer = Part | readonly Part[];

/** MCP's hints for clients; each is unknown unless said. */
export interface Annotations {
  /** The tool changes nothing. */
  readOnly?: boolean;
  /** What it changes may be lost. */
  destructive?: boolean;
  /** Calling it again with the same arguments changes nothing more. */
  idempotent?: boolean;
  /** It reaches things beyond the plugin, such as the web. */
  openWorld?: boolean;
}

/** One tool, as its author writes it. */
export interface Definition<Arguments> {
  /** What callers use: 1 to 64 of `A-Z a-z 0-9 _ - .` */
  name: string;
  /** A title for people. */
  title?: string;
  /** For a model that decides whether to call it. */
  description: string;
  /** The schema of the arguments; the host checks them by it before anybody pays. Without it there are none. */
  input?: Schema;
  /** The schema of the object among the answer's parts; every answer then has one. */
  output?: Schema;
  /** Such as `'0.05 USD'`, or `'free'`. Left out, the operator sets it; a tool without any price is not listed. */
  price?: string;
  /** What a run changes outside the plugin; decides whether one that was cut short is started again. */
  effects?: 'pure' | 'idempotent' | 'effectful';
  annotations?: Annotations;
  /** Answers a call. What it throws is told to the caller, who is not charged. Async in the engine with `fetch` only. */
  run(args: Arguments, context: Context): Answer | Promise<Answer>;
}

/** A tool, checked. */
export type Tool<Arguments = any> = Readonly<Definition<Arguments>>;

/** What a plugin exports as `tools`. */
export interface Tools {
  listTools(): unknown[];
  callTool(name: string, argumentsJson: string, context: Context): unknown;
}

/** Makes a tool. Throws, and so ends the build, where the definition is wrong. */
export function tool<Arguments = Record<string, unknown>>(definition: Definition<Arguments>): Tool<Arguments>;

/** Makes a plugin: `export const tools = plugin([…])`. Throws, and so ends the build, where two have one name. */
export function plugin(tools: readonly Tool[]): Tools;

/** A picture of that type, such as `image/png`. */
export function image(data: Uint8Array, mimeType: string): Media;

/** A sound of that type, such as `audio/wav`. */
export function audio(data: Uint8Array, mimeType: string): Media;

/** An answer that says that something is wrong: delivered **and charged**. For work that was not done, throw. */
export function incorrect(answer: Answer): Answer;

/** Why there is no answer. The caller reads the message and is not charged. */
export class Failure extends Error {
  /** The tool could not do its work. */
  constructor(message: string);
  /** The arguments match the schema and are still wrong: say which one and why. */
  static invalid(message: string): Failure;
  /** Something the tool needs is not there now; trying again after that many milliseconds may help. */
  static unavailable(message: string, retryAfterMs?: number): Failure;
  /** The tool may not do this. */
  static denied(message: string): Failure;
  /** The tool ran out of time, on its own count. */
  static timedOut(message: string): Failure;
  /** This plugin cannot do what was asked, and never will. */
  static unsupported(message: string): Failure;
  /** The host's word for the kind, such as `invalid-arguments`. */
  readonly kind: string;
  readonly retryAfterMs?: number;
}

/** Tells the caller how far the run is: `done` of `total`, in any unit. */
export function progress(done: number, total?: number, message?: string): void;

/** What the operator has set as `key`. It may be secret: never put it into an answer. */
export function setting(key: string): string | undefined;

/** As `setting`; throws a failure that names the key where it is not set. */
export function requiredSetting(key: string): string;
