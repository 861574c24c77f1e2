import process from 'node:process';
import {compose} from '../compose.ts';
import type {Context} from '../engine/context.ts';
import type {Agent, Availability} from '../core/seams.ts';
import {printable} from '../core/names.ts';
import {carriers, type CarrierName} from '../core/publish/state.ts';
import {exitCodes, Refusal} from '../core/refusal.ts';
import {chooseSandbox} from '../engine/sandbox/plan.ts';
import {listPrograms, toolsOf} from '../engine/sandbox/tools.ts';
import {listSecrets} from '../engine/grants/secrets.ts';
import {findOnPath, versionOf} from '../host/program.ts';
import {openCgroup} from '../host/cgroup.ts';
import {checkNotifiers} from './doctor/notify.ts';
import {checkForge} from './doctor/forge.ts';
import {checkGit} from './doctor/git.ts';
import {findOnSearchPath, offerLauncher} from './doctor/launcher.ts';
import {install, missingPackages, runAsRoot} from './doctor/packages.ts';
import {report, reportAttempts, type Check} from './doctor/report.ts';
import {checkTerminal} from './doctor/terminal.ts';
import {askHidden} from '../terminal/ask.ts';
import {define, flag, json, text, textOrBare} from './verb.ts';
import {asTyped} from '../terminal/as-typed.ts';
import type {Io} from '../terminal/program.ts';

/** Whether a run can be limited as a whole: tried, not guessed. */
function checkLimits(): Availability {
	const group = openCgroup(`doctor-${process.pid}`, {memory: 1024 ** 3, processes: 1024, weight: 50});
	group?.remove();
	return group && group.limits.length > 0
		? {
				works: true,
				version: '',
				because: 'each run as a whole is limited by a control group: memory, processes, share of the processor',
				hint: '',
			}
		: {
				works: false,
				version: '',
				because:
					'no control group is writable: each process is limited, ' +
					'and the memory and disk of a whole run are looked at every few seconds',
				hint: 'start fleet with: systemd-run --user --scope -p Delegate=yes fleet',
			};
}

/** Whether an agent's program is here, which version it says it is, and whether its model's key is in the vault. */
async function checkAgent(context: Context, agent: Agent): Promise<Availability> {
	if (agent.program === undefined) {
		return {works: true, version: '', because: agent.title, hint: ''};
	}

	const program = findOnPath(agent.program);
	if (!program) {
		return {
			works: false,
			version: '',
			because: `${agent.title}: no program "${agent.program}" on PATH`,
			hint: `install ${agent.title}`,
		};
	}

	const version = await versionOf(program.host);
	const name = agent.model?.secret;
	const names = [name, agent.model?.login?.secret];
	const hasKey = name === undefined || listSecrets(context).some(entry => names.includes(entry.reference.name));
	return {
		works: true,
		version: version ?? '',
		because:
			`${agent.title}: ${version ?? 'it does not say its version'}, ${program.host}` +
			(hasKey ? '' : `; its key is not in the vault yet: fleet secret add ${name} --user`),
		hint: '',
	};
}

/** The programs that a run in this folder finds, and toolchains of the person's shell that it does not. */
async function checkTools(context: Context, folder: string): Promise<Check[]> {
	const tools = await toolsOf(context, folder);
	const programs = await listPrograms(tools);
	return [
		...programs.map(({name, version, place}) => {
			const because = `${version || 'it does not say its version'}, ${printable(place)}`;
			return {works: true, version, because, hint: '', id: `tool ${name}`, needed: false};
		}),
		...tools.left.map(({folder, because, hint}) => {
			return {works: false, version: '', because: `${printable(folder)}: ${because}`, hint, id: 'tools', needed: false};
		}),
	];
}

async function examine(context: Context, folder: string): Promise<Check[]> {
	const node: Availability = {
		works: true,
		version: process.versions.node,
		because: `Node ${process.versions.node}`,
		hint: '',
	};
	return [
		...(await Promise.all(
			context.sandboxes.map(async sandbox => ({...(await sandbox.probe()), id: `sandbox ${sandbox.id}`, needed: true})),
		)),
		{...(await checkGit()), id: 'git', needed: true},
		{...node, id: 'node', needed: true},
		{...checkLimits(), id: 'limits', needed: false},
		...checkTerminal().map(check => ({...check, needed: false})),
		...(await Promise.all(
			context.vaults.map(async vault => ({...(await vault.probe()), id: `vault ${vault.id}`, needed: false})),
		)),
		...(await Promise.all(
			context.agents.map(async agent => ({
				...(await checkAgent(context, agent)),
				id: `agent ${agent.id}`,
				needed: false,
			})),
		)),
		...(await checkNotifiers(context)).map(check => ({...check, needed: false})),
		...(await checkTools(context, folder)),
	];
}

const retry = 'fleet doctor --fix --yes';

/** Puts something right; where that cannot be, it says why, and what was found is shown all the same. */
async function fix(io: Io, work: () => Promise<void>): Promise<void> {
	try {
		await work();
	} catch (error) {
		if (!(error instanceof Refusal) || error.code !== undefined) {
			throw error;
		}

		io.err(`fleet: ${error.because}\n  hint: ${asTyped(error.hint)}\n`);
	}
}

const notCovered = [
	'faults of the kernel, bubblewrap, git and Node themselves',
	'what a host that you grant does with what it is sent',
	'code that you run yourself after a merge: your tests, your editor, your deploy',
	'timing, load, and the names of hosts that are asked for and denied',
];

/**
 * The catalogue of attacks, tried here and now. Nothing of the
 * machine's is ever written: settings are opened and closed.
 */
async function attack(
	io: Io,
	context: Context,
	{json, only}: {json: boolean; only: string | undefined},
): Promise<number> {
	const {areas} = await import('../attacks/attack.ts');
	const {attacks: all} = await import('../attacks/catalogue.ts');
	const {tryAll} = await import('../attacks/try.ts');
	const attacks = only === undefined ? all : all.filter(({area}) => area === only);
	if (attacks.length === 0) {
		throw new Refusal(`there is no area "${printable(only ?? '')}" of attacks`, `one of: ${areas.join(', ')}`);
	}

	const {sandbox, status} = await chooseSandbox(context);
	const began = Date.now();
	let count = 0;
	const results = await tryAll(context, attacks, () => {
		count++;
		if (!json && io.interactive) {
			io.err(`\r${count}/${attacks.length} tried `);
		}
	});
	const through = results.filter(result => result.status === 'through');
	const errors = results.filter(result => result.status === 'error');
	const seconds = Math.round((Date.now() - began) / 100) / 10;
	if (json) {
		io.json({
			ok: through.length === 0 && errors.length === 0,
			sandbox: `${sandbox.id} ${status.version}`,
			seconds,
			attempts: results.map(({id, area, title, source, status, because}) => ({
				id,
				area,
				title,
				source,
				status,
				because,
			})),
			notCovered,
		});
	} else {
		io.err(io.interactive ? '\r\u001B[K' : '');
		await reportAttempts(io, results);

		const stopped = results.length - through.length - errors.length;
		io.out(
			`\n${results.length} attempts against ${sandbox.id} ${status.version} in ${seconds} s: ` +
				`${stopped} stopped, ${through.length} through, ${errors.length} could not be tried\n` +
				`not covered:\n${notCovered.map(line => `  ${line}\n`).join('')}`,
		);
	}

	if (through.length > 0) {
		return exitCodes.gate;
	}

	return errors.length > 0 ? exitCodes.inconclusive : exitCodes.ok;
}

export const verb = define({
	summary: 'check this machine; with --attack, try every known attack; with --forge, the rules of a branch there',
	arguments: {},
	options: {
		attack: textOrBare(
			'AREA',
			'try every known attack, or those of one area, against the sandbox of this machine, in throwaway folders',
		),
		forge: textOrBare('BRANCH', 'what the rules of the branch at its forge lack: GitHub or GitLab'),
		with: text('PROGRAM', 'for --forge: gh, glab, or rest: fleet itself with a token from the vault', carriers),
		token: text('SECRET', 'for --forge: a deploy secret for the host of the API'),
		project: text('NAME', 'for --forge: the project; by default the one this folder belongs to'),
		fix: flag("install what is missing, with the machine's package manager"),
		path: flag('put fleet on PATH: a script of two lines, which leads to this one'),
		yes: flag('do not ask'),
		json,
	},
	brief: ['attack', 'forge', 'fix', 'path', 'yes', 'json'],
	async run(io, _positional, options) {
		if (options.path) {
			return (await offerLauncher(io, options.yes)) ? exitCodes.ok : exitCodes.gate;
		}

		if (options.forge) {
			return checkForge(io, compose(askHidden(io.interactive)), {
				branch: typeof options.forge === 'string' ? options.forge : undefined,
				by: options.with as CarrierName | undefined,
				token: options.token,
				project: options.project,
				json: options.json,
			});
		}

		const given = (['with', 'token', 'project'] as const).find(name => options[name] !== undefined);
		if (given) {
			throw new Refusal(`--${given} is for --forge alone`, `fleet doctor --forge --${given} ${options[given]}`);
		}

		const context = compose();
		if (options.attack) {
			const {attack: only} = options;
			return attack(io, context, {json: options.json, only: typeof only === 'string' ? only : undefined});
		}

		let checks = await examine(context, io.folder);
		const packages = missingPackages(checks);
		if (options.fix && packages.length > 0) {
			await fix(io, () => install(io, packages, {yes: options.yes, retry}));
			checks = await examine(context, io.folder);
		}

		for (const {cure = [], because} of options.fix ? checks : []) {
			if (cure.length > 0) {
				await fix(io, () => runAsRoot(io, cure, {because, yes: options.yes, retry}));
				checks = await examine(context, io.folder);
			}
		}

		if (options.fix && io.interactive && findOnSearchPath() === undefined) {
			await offerLauncher(io, options.yes);
		}

		if (options.json) {
			io.json({ok: checks.every(check => check.works || !check.needed), checks});
		} else {
			await report(io, checks);

			io.out(
				'\nnot covered here: kernel faults, what a granted host does with what it is sent, ' +
					'and code that you run yourself\n',
			);
		}

		return checks.every(check => check.works || !check.needed) ? exitCodes.ok : exitCodes.gate;
	},
});
