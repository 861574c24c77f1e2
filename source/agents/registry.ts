import type {Agent} from '../core/seams.ts';
import {aider} from './aider/index.ts';
import {claudeCode} from './claude-code/index.ts';
import {codex} from './codex/index.ts';
import {command} from './command/index.ts';
import {copilot} from './copilot/index.ts';
import {gemini} from './gemini/index.ts';
import {opencode} from './opencode/index.ts';

/** Every agent this version can start, in the order it is shown. */
export const agents: readonly Agent[] = [claudeCode, codex, gemini, opencode, copilot, aider, command];
