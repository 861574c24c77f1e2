import {existsSync, readdirSync, rmdirSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {fileURLToPath} from 'node:url';
import {compose} from '../compose.ts';
import {quoteWord} from '../core/text/shell-words.ts';
import {escapeLine} from '../core/text/escape-controls.ts';
import {listSchedules, removeSchedule} from '../engine/schedule/schedules.ts';
import {removeTree} from '../host/remove-tree.ts';
import {checkRemoval, remove, removalOf} from '../engine/handover/remove.ts';
import {listProjects} from '../engine/project/list-projects.ts';
import {askHidden} from '../terminal/ask.ts';
import {findLauncher, removeLauncher} from './doctor/launcher.ts';
import {confirmRemoval, keptWork, removalLines} from './project/remove.ts';
import {define, flag} from './verb.ts';

/** How the program itself goes: by what brought it. */
function howToRemoveProgram(program: string): string {
	if (program.startsWith('/usr/lib/command-fleet/')) {
		return 'sudo apt-get remove command-fleet';
	}

	const [before, after] = program.split('/node_modules/command-fleet/');
	return after === undefined
		? `rm -rf ${quoteWord(path.dirname(path.dirname(program)))}`
		: `npm uninstall --global ${before!.endsWith('/lib') ? '' : `--prefix ${quoteWord(before!)} `}command-fleet`;
}

export const verb = define({
	summary: 'take away all that fleet keeps on this machine; repositories stay',
	arguments: {},
	options: {
		discard: flag('discard runs with unmerged work, too; it is kept as refs of its repository'),
		loseWork: flag('delete what was kept of runs in repositories, too'),
		yes: flag('do not ask'),
	},
	brief: ['discard', 'loseWork', 'yes'],
	async run(io, _positional, options) {
		const context = compose(askHidden(io.interactive));
		const {state, worktrees, config, runtime} = context.paths;
		const isApart = path.dirname(worktrees) !== state;
		const removal = await removalOf(context, listProjects(context), true);
		checkRemoval(removal, options, 'fleet uninstall');
		const launcher = findLauncher();
		const held = readdirSync(config);
		const schedules = listSchedules(context);
		const lines = [
			...schedules.map(({name}) => `the schedule ${name} goes, and its line of your crontab`),
			...removalLines(removal, options),
			`${escapeLine(state)} goes, with all that is in it`,
			...(isApart ? [`${escapeLine(worktrees)} goes, with all that is in it`] : []),
			`${escapeLine(config)} goes${held.length === 0 ? '' : `, with ${escapeLine(held.join(', '))}`}`,
			...(launcher === undefined ? [] : [`${escapeLine(launcher)} goes`]),
		];
		const flags = `${options.discard ? ' --discard' : ''}${options.loseWork ? ' --lose-work' : ''}`;
		await confirmRemoval(io, lines, {yes: options.yes, retry: `fleet uninstall${flags} --yes`});
		// The file of the vault goes as a whole: nobody has to unlock it for that.
		const secrets = removal.secrets.filter(({store}) => store !== 'age');
		const kept = await remove(context, {...removal, secrets}, options);
		// Their lines would call what is gone.
		for (const {name} of schedules) {
			removeSchedule(context, name);
		}

		for (const folder of [runtime, worktrees, state, config]) {
			removeTree(folder);
		}

		const home = process.env['FLEET_HOME'];
		if (home !== undefined && existsSync(home) && readdirSync(home).length === 0) {
			rmdirSync(home);
		}

		if (launcher !== undefined) {
			removeLauncher(launcher);
		}

		for (const [{root}, refs] of kept) {
			if (refs > 0) {
				io.out(`kept: ${keptWork(root, refs)}\n`);
			}
		}

		io.out(
			`fleet keeps nothing here any more; the program itself: ${howToRemoveProgram(fileURLToPath(import.meta.url))}\n`,
		);
	},
});
