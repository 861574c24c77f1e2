import type {Agent} from '../core/seams.ts';
import {command} from './command/index.ts';

/** Every agent this version can start. */
export const agents: readonly Agent[] = [command];
