import type {Sign} from '../../core/run/glance.ts';
import type {Tone} from '../../core/text/spans.ts';

/** What stands for how a run is, one cell wide, and how it looks; colour alone never says it. */
export const signs: Readonly<Record<Sign, {readonly glyph: string; readonly tone: Tone | undefined}>> = {
	alarm: {glyph: '!', tone: 'bad'},
	question: {glyph: '?', tone: 'warn'},
	blocked: {glyph: '⊘', tone: 'warn'},
	failed: {glyph: '✗', tone: 'bad'},
	unclear: {glyph: '~', tone: 'warn'},
	changed: {glyph: '◆', tone: 'accent'},
	passed: {glyph: '✓', tone: 'good'},
	running: {glyph: '●', tone: 'accent'},
	paused: {glyph: '‖', tone: 'quiet'},
	queued: {glyph: '○', tone: 'quiet'},
	done: {glyph: '✓', tone: 'quiet'},
	dropped: {glyph: '×', tone: 'quiet'},
};

/** Before a step of the pipeline, by its state. */
export const gateMarks: Readonly<Record<string, {readonly glyph: string; readonly tone: Tone | undefined}>> = {
	done: {glyph: '✓', tone: 'good'},
	ready: {glyph: '▸', tone: 'warn'},
	blocked: {glyph: '·', tone: 'quiet'},
	failed: {glyph: '✗', tone: 'bad'},
	inconclusive: {glyph: '~', tone: 'warn'},
	busy: {glyph: '●', tone: 'accent'},
};
