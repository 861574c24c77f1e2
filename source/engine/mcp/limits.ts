/** What holds for a server where its definition says nothing: times in milliseconds, sizes in bytes. */
export const defaults = {timeoutMs: 60_000, result: 1024 ** 2, callsPerMinute: 300, atOnce: 16} as const;
