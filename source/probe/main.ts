import fs from 'node:fs';
import {reported} from './attempts.ts';
import {decisions} from './decisions.ts';
import {isolation} from './isolation.ts';
import {network} from './network.ts';
import {repo} from './repo.ts';
import {secrets} from './secrets.ts';

/*
 * Runs inside a sandbox that has the run's own settings, tries what
 * an agent could try, and says what it saw. It judges nothing.
 */

repo();
await secrets();
await network();
await decisions();
// Last: an attempt that succeeded here could hide what was to be seen before.
isolation();
// Says that it is whole.
fs.writeSync(1, `${JSON.stringify({attempts: reported()})}\n`);
