import process from 'node:process';
import {knowVerbs} from '../terminal/as-typed.ts';
import {checkOpenFiles, createIo, runProgram, type Io} from '../terminal/program.ts';
import {isNotedUnderWay, isTimeToLook} from '../engine/tasks/under-way.ts';
import {findPaths} from '../host/paths.ts';
import {beginVerb} from '../terminal/begin-verb.ts';
import {escapeLine} from '../core/text/escape-controls.ts';
import {Refusal} from '../core/refusal.ts';
import {printable} from '../core/names.ts';
import {foldLines} from '../core/text/fold.ts';
import {nearest} from '../core/text/near.ts';
import {version} from '../core/version.ts';
import {formerNames, otherNames, verbs} from '../commands/verbs.ts';
import {parseCommandLine} from './command-line.ts';

/* argv to a command. Everything after "--" is the agent's command line and is not read here. */

/** @param columns of the terminal that shows it; undefined where it goes elsewhere */
async function help(columns: number | undefined): Promise<string> {
	const shown = await Promise.all(
		Object.entries(verbs).map(async ([name, load]) => {
			const {usage, summary} = (await load()).verb;
			return {typed: `${name} ${usage}`, summary};
		}),
	);
	const width = Math.max(...shown.map(({typed}) => typed.length));
	const widest = Math.max(...shown.map(({summary}) => summary.length + width + 4));
	const isNarrow = columns !== undefined && columns < widest;
	const lines = shown.map(({typed, summary}) =>
		isNarrow ? `  ${typed.trimEnd()}\n      ${summary}` : `  ${typed.padEnd(width)}  ${summary}`,
	);
	const text = `Usage: fleet [COMMAND] [ARGUMENTS]

Runs a fleet of AI coding agents under least privilege. Without a command: the screen.

Commands
${lines.join('\n')}

Options
  --help     this text, or a command's own: fleet COMMAND --help
  --version  the version

Scopes
  repo, build                            on
  network:HOST[:PORT], files:PATH        off until granted, with a reason
  model:AGENT, secret:OWNER/NAME         off until granted; by pointer, the value stays outside
  deploy:TARGET                          never a run's: a person deploys

Exit codes: 0 done, 1 internal error, 2 refused input, 3 a check or gate said no, 4 inconclusive
`;
	return isNarrow ? foldLines(text, columns) : text;
}

/** Verbs after which a task of an accepted plan may be free to start, or waits for what will not come. */
const moving = new Set(['merge', 'reject', 'discard', 'restore', 'resume']);
/** Verbs that look whether one is, beside what they do: the machine may have gone down in between. */
const opening = new Set(['screen', 'list']);

/** Starts what became free. A fault in it is said, and takes nothing from what the verb did. */
async function carryOn(io: Io): Promise<void> {
	try {
		const [{compose}, {carryOn}] = await Promise.all([import('../compose.ts'), import('../commands/plan/carry-on.ts')]);
		await carryOn(compose(), io);
	} catch (error) {
		io.err(`fleet: the plan was not carried on: ${escapeLine((error as Error).message)}\n  hint: fleet plan next\n`);
	}
}

/** @param own what fleet reads @param rest what stood after "--" */
async function main(own: readonly string[], rest: readonly string[] | undefined): Promise<number> {
	const [name = ''] = own;
	if (name === '--help' || name === '-h' || name === 'help') {
		process.stdout.write(await help(process.stdout.isTTY ? process.stdout.columns : undefined));
		return 0;
	}

	if (name === '--version' || name === '-v') {
		process.stdout.write(`${version}\n`);
		return 0;
	}

	const typed = name === '' ? 'screen' : (formerNames[name] ?? name);
	const load = Object.hasOwn(verbs, typed) ? verbs[typed] : undefined;
	if (!load) {
		const near = Object.hasOwn(otherNames, name) ? otherNames[name] : nearest(name, Object.keys(verbs));
		throw new Refusal(
			`unknown command "${printable(name)}"${near ? ` (did you mean ${near}?)` : ''}`,
			near ? `fleet ${near} --help` : 'fleet --help',
		);
	}

	checkOpenFiles(typed);
	const {verb} = await load();
	const given = parseCommandLine(typed, verb, own.slice(1));
	if (!given) {
		return 0;
	}

	const io = createIo(rest);
	if (opening.has(typed) && isTimeToLook({paths: findPaths()})) {
		beginVerb(['plan', 'next']);
	}

	try {
		return (await verb.run(io, given.positional, given.options)) ?? 0;
	} finally {
		// Also where a part of it was done and then refused: what was merged is merged.
		if (moving.has(typed) && isNotedUnderWay({paths: findPaths()})) {
			await carryOn(io);
		}
	}
}

knowVerbs(Object.keys(verbs));
const argv = process.argv.slice(2);
const end = argv.indexOf('--');
const own = end === -1 ? argv : argv.slice(0, end);
await runProgram(() => main(own, end === -1 ? undefined : argv.slice(end + 1)), own.includes('--json'));
