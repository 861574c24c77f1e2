/** What the repository looks like at the moment of a decision. Object names are full hex. */
export type Facts = {readonly base: string; readonly head: string; readonly tree: string; readonly policy: string};
