import type {Sandbox} from '../core/seams.ts';
import {bubblewrap} from './bubblewrap/index.ts';

/** Every sandbox this version has. None of them is weaker than another: where none works, nothing is started. */
export const sandboxes: readonly Sandbox[] = [bubblewrap];
