import process from 'node:process';
import type {Sandbox} from '../core/seams.ts';
import {bubblewrap} from './bubblewrap/index.ts';
import {seatbelt} from './seatbelt/index.ts';

/** Every sandbox for this system. None of them is weaker than another: where none works, nothing is started. */
export const sandboxes: readonly Sandbox[] = process.platform === 'darwin' ? [seatbelt] : [bubblewrap];
