import {dialogRoom, footerHeight} from './layout.ts';
import {block, paintLine, type Line} from './paint/line.ts';
import {dialogLines} from './forms/dialog-view.ts';
import {footerLines} from './screens/footer.ts';
import {activityScreen} from './screens/activity.ts';
import {compareLines} from './screens/compare.ts';
import {diskLines} from './screens/disk.ts';
import {fleetLines} from './screens/fleet.ts';
import {formLines} from './screens/new-run.ts';
import {foundLines} from './screens/found.ts';
import {gatesLines} from './screens/gates.ts';
import {paletteLines} from './screens/palette.ts';
import {runLines} from './screens/run.ts';
import {planLines} from './screens/plan.ts';
import {vaultLines} from './screens/vault.ts';
import {helpLines, welcomeLines} from './screens/welcome.ts';
import {dialogOf} from './focus.ts';
import type {State} from './state.ts';
import {themeOf} from './paint/theme.ts';

const screens: Readonly<Record<State['screen'], (state: State, height: number) => Line[]>> = {
	welcome: welcomeLines,
	fleet: fleetLines,
	run: runLines,
	gates: gatesLines,
	new: formLines,
	vault: vaultLines,
	disk: diskLines,
	plan: planLines,
	compare: compareLines,
	activity: activityScreen,
	found: foundLines,
	help: helpLines,
};

/** The lines of the screen that is shown, without the footer and what is asked over it. */
export function screenLines(state: State, height: number): Line[] {
	return screens[state.screen](state, height);
}

/** The frame of a state: exactly as many lines as the terminal has, since Ink clears the screen before a taller one. */
export function frameLines(state: State): Line[] {
	const room = dialogRoom(state);
	const dialog = dialogOf(state);
	const below = (dialog ? dialogLines(dialog, state.columns, room) : paletteLines(state)).slice(0, room);
	const height = Math.max(1, state.rows - footerHeight - below.length);
	return block([...block(screenLines(state, height), height), ...below, ...footerLines(state)], state.rows);
}

/** The frame of a state as text with SGR sequences, line by line: the same cells that Ink draws. */
export function paintFrame(state: State): string[] {
	const theme = themeOf(state);
	return frameLines(state).map(line => paintLine(line, state.columns, theme));
}
