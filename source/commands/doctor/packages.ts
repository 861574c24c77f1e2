import {spawnSync} from 'node:child_process';
import {existsSync} from 'node:fs';
import process from 'node:process';
import {personRefusal, Refusal} from '../../core/refusal.ts';
import {asOneLine, installSteps, packageManagers} from '../../core/packages.ts';
import type {Availability} from '../../core/seams.ts';
import {findOnPath} from '../../host/program.ts';
import {ask} from '../../terminal/ask.ts';
import type {Io} from '../../terminal/program.ts';

/* Installing what this machine lacks, by its own package manager: shown, asked about, and never a guess. */

/** The packages whose absence is a reason, each once. */
export function missingPackages(checks: ReadonlyArray<Pick<Availability, 'missing'>>): string[] {
	return [...new Set(checks.flatMap(({missing}) => missing ?? []))];
}

/** What makes root of an account that may: nothing for root itself; undefined where there is no such program. */
function rootProgram(): string | undefined {
	if (process.getuid?.() === 0) {
		return '';
	}

	return ['sudo', 'doas'].find(name => findOnPath(name));
}

/**
 * Installs packages with the machine's own package manager: shown first, and asked about where somebody can answer.
 * @param retry what to type to have it done without being asked
 * @throws Refusal where a person said no, or the account may not: then its hint has the administrator's one command
 */
export async function install(
	io: Io,
	packages: readonly string[],
	{yes, retry}: {readonly yes: boolean; readonly retry: string},
): Promise<void> {
	const manager = packageManagers.find(({program}) => existsSync(program));
	const names = packages.join(' and ');
	const verb = packages.length === 1 ? 'is' : 'are';
	if (!manager) {
		throw new Refusal(
			`${names} ${verb} not installed, and there is no package manager here that fleet knows`,
			existsSync('/etc/NIXOS')
				? `environment.systemPackages = [ ${packages.map(name => `pkgs.${name}`).join(' ')} ]; in configuration.nix`
				: `install ${names} by hand`,
		);
	}

	await runAsRoot(io, installSteps(manager, packages, []), {yes, retry, because: `${names} ${verb} not installed`});
}

/**
 * Runs commands as root: shown first, and asked about where somebody can answer.
 * @param because what is wrong without them
 * @throws Refusal as `install` does
 */
export async function runAsRoot(
	io: Io,
	commands: ReadonlyArray<readonly string[]>,
	{because, yes, retry}: {readonly because: string; readonly yes: boolean; readonly retry: string},
): Promise<void> {
	const forRoot = asOneLine(commands);
	const root = rootProgram();
	if (root === undefined) {
		throw new Refusal(
			`${because}, and this account cannot change that: it is not root, and there is no sudo`,
			`the administrator of this machine runs, as root: ${forRoot}`,
		);
	}

	const steps = commands.map(command => (root === '' ? [...command] : [root, ...command]));
	io.err(`${because}\n`);
	for (const step of steps) {
		io.err(`  ${asOneLine([step])}\n`);
	}

	if (!yes && (process.env['CI'] ?? '') === '') {
		if (!io.interactive) {
			throw personRefusal('that is run when a person says so, and there is nobody to ask', retry);
		}

		if (!/^y(?:es)?$/i.test((await ask('run this? [y/N] ', false)).trim())) {
			throw new Refusal(`${because}, and you said no`, asOneLine(steps));
		}
	}

	// Where nobody can type a password, one that is asked for would wait for ever.
	if (root !== '' && !io.interactive && spawnSync(root, ['-n', 'true'], {stdio: 'ignore'}).status !== 0) {
		throw new Refusal(
			`${because}, and ${root} asks for a password or refuses`,
			`in a terminal: ${asOneLine(steps)}; or the administrator runs, as root: ${forRoot}`,
		);
	}

	runSteps(io, steps, forRoot);
}

/** @throws Refusal where the last of them, the installation itself, fails */
function runSteps(io: Io, steps: readonly string[][], forRoot: string): void {
	for (const [index, step] of steps.entries()) {
		const result = spawnSync(step[0]!, step.slice(1), {
			stdio: ['inherit', 'pipe', 'pipe'],
			encoding: 'utf8',
			env: {...process.env, DEBIAN_FRONTEND: 'noninteractive'},
		});
		// A package list that is partly out of reach may still know the package.
		if (result.status !== 0 && index === steps.length - 1) {
			io.err(`${result.stdout ?? ''}${result.stderr ?? ''}`);
			throw new Refusal(
				`"${asOneLine([step])}" failed: its words are above`,
				`the administrator of this machine runs, as root: ${forRoot}`,
			);
		}
	}
}
