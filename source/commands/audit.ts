import type {Verb} from './verb.ts';
export const verb: Verb = {define() {}, async run(io) { io.out('not yet\n'); }};
