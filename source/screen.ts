import process from 'node:process';
import {createIo, runProgram} from './commands/program.ts';
import {verb} from './commands/screen.ts';
import {closeInherited} from './host/descriptors.ts';

/* `fleet` alone: the screen, by itself and built by itself, since people wait for its first frame. */

// node:sqlite says on every start that it is experimental.
process.removeAllListeners('warning');
closeInherited();
await runProgram(async () => await verb.run(createIo(undefined), [], {}) ?? 0);
