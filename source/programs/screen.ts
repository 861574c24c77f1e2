import module from 'node:module';
import {checkOpenFiles, createIo, runProgram} from '../terminal/program.ts';
import {verb} from '../commands/screen.ts';

/* `fleet` alone: the screen, by itself and built by itself, since people wait for its first frame. */

// A screen that is killed leaves what was compiled for the next one all the same.
setTimeout(() => module.flushCompileCache?.(), 3000).unref();
void runProgram(async () => {
	checkOpenFiles('screen');
	return (await verb.run(createIo(undefined), {}, {screenReader: false})) ?? 0;
});
