import type {AskedLimits} from './limits.ts';
import type {Price} from './run/usage.ts';
import type {NotifyTarget} from './notify/adapters.ts';
import {parseWindow, windowAt} from './text/window.ts';

/* What a person sets for the screen. Never the state of a run. */

export type Settings = {
	readonly theme: 'auto' | 'dark' | 'light' | 'ansi' | 'contrast' | 'plain';
	readonly mouse: boolean;
	/** How a person is told that a run needs one. */
	readonly notify: {
		readonly bell: boolean;
		readonly desktop: boolean;
		readonly title: boolean;
		/** From and to, as "22:00-07:00": none of it but the title; undefined for none. */ readonly quiet:
			| string
			| undefined;
		/** Where a run's supervisor sends a message, whether a screen is open or not. */
		readonly send: readonly NotifyTarget[];
	};
	/** Keys by action, in place of the built-in ones. */
	readonly keys: Readonly<Record<string, readonly string[]>>;
	/** How many runs may be at work at once, undefined for no limit; and what each of them may use. */
	readonly limits: AskedLimits & {readonly running: number | undefined; readonly perProject: number | undefined};
	/** What the results of setups may take in all, bytes, and for how many days one is kept that nobody uses. */
	readonly layers: {readonly bytes: number; readonly days: number};
	/** Whether what a policy wants checked by itself is, once an agent has ended well. */
	readonly autoVerify: boolean;
	/** What models cost, before what is delivered: the first that matches counts. */
	readonly prices: readonly Price[];
	/** US dollars that all runs together may spend in a day, and those of one project; undefined for no limit. */
	readonly budgets: {readonly day: number | undefined; readonly projectDay: number | undefined};
	/** Folders whose tools runs may use, read-only, besides those of a kind that is known. */
	readonly toolchains: readonly string[];
};

export const defaultSettings: Settings = {
	theme: 'auto',
	mouse: true,
	notify: {bell: true, desktop: true, title: true, quiet: undefined, send: []},
	keys: {},
	limits: {running: undefined, perProject: undefined},
	layers: {bytes: 20 * 1024 ** 3, days: 30},
	autoVerify: true,
	prices: [],
	budgets: {day: undefined, projectDay: undefined},
	toolchains: [],
};

/** Whether a time of day is in a span such as "22:00-07:00". @param minutes since midnight */
export function isQuiet(span: string | undefined, minutes: number): boolean {
	const window = parseWindow(span ?? '');
	return window !== undefined && windowAt(window, {day: 0, minutes}).open;
}
