/** Stands in for the host from now on: what the operator has set, and what runs report. */
export function host(settings?: Record<string, string>): {
  readonly reports: readonly { done: number; total?: number; message?: string }[];
};
