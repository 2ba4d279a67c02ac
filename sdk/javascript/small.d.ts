// What the small engine has beside the language itself: name it in tsconfig.json's `types`.

/** Every method writes a line to stderr, which goes to the operator's log and never to the caller. */
declare const console: Record<'debug' | 'error' | 'info' | 'log' | 'trace' | 'warn', (...values: unknown[]) => void>;

declare function atob(base64: string): string;
declare function btoa(bytes: string): string;
declare function queueMicrotask(callback: () => void): void;
