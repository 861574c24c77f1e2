import type {GitAttack} from './attack.ts';
import {objectAttacks} from './git-objects.ts';
import {programAttacks} from './git-programs.ts';
import {refAttacks} from './git-refs.ts';

/* Each of these works against the plain worktree that other tools give an agent; a test shows it. */

export const gitAttacks: readonly GitAttack[] = [...programAttacks, ...refAttacks, ...objectAttacks];
