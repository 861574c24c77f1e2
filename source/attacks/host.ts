import process from 'node:process';
import {
	chmodSync,
	existsSync,
	linkSync,
	mkdirSync,
	readFileSync,
	renameSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import path from 'node:path';
import {parsePolicy} from '../core/policy.ts';
import {Refusal} from '../core/refusal.ts';
import {filesPlace} from '../engine/grants/files.ts';
import {chooseSandbox} from '../engine/sandbox/plan.ts';
import {openRuntime} from '../host/paths.ts';
import {homeFolder} from '../host/person.ts';
import {countChanges} from '../engine/handover/changes.ts';
import {giveToRun} from '../host/run-owner.ts';
import type {HostAttack} from './attack.ts';
import {openBox} from './box.ts';
import {gateAttacks} from './gate.ts';
import {profileAttacks} from './profile.ts';

/* What an agent leaves for fleet and for the person to meet, after it ended. */

/**
 * A folder that two runs share, with a folder in it that one of them is granted, and beside it what nobody is granted.
 */
function sharedFolder(folder: string): {data: string; file: string; secret: string} {
	const [data, secret] = [path.join(folder, 'shared', 'data'), path.join(folder, 'secret')];
	for (const place of [data, secret]) {
		mkdirSync(place, {recursive: true});
	}

	chmodSync(folder, 0o755);
	writeFileSync(path.join(data, 'file'), 'granted', {mode: 0o644});
	writeFileSync(path.join(secret, 'file'), 'canary-of-the-host', {mode: 0o644});
	return {data, secret, file: path.join(data, 'file')};
}

/** What another run that may change the shared folder does. */
function exchange({data, secret}: {data: string; secret: string}): void {
	renameSync(data, `${data}.old`);
	symlinkSync(secret, data);
}

export const hostAttacks: readonly HostAttack[] = [
	{
		kind: 'host',
		id: 'granted-folder-exchanged',
		title: 'have a folder that was granted mean another',
		source: 'a run that shares a folder puts a link in the place of what another was granted',
		answer: 'a grant is of a folder, by its device and inode, and not of a name',
		async attempt(tools) {
			const project = await tools.project();
			const shared = sharedFolder(tools.folder);
			const {run, output} = await project.agent(`cat ${shared.file}`, {allow: [`files:${shared.data}`]});
			if (output !== 'granted') {
				throw new Error(`the folder was not given: ${output.slice(0, 100)}`);
			}

			exchange(shared);
			return (await project.again(run, `cat ${shared.file}`)).output.includes('canary');
		},
	},
	{
		kind: 'host',
		id: 'exchanged-before-the-mount',
		title: 'exchange a folder between the look and the mount',
		source: 'time-of-check races in path checks',
		answer: 'it is opened without following a link, held against what was granted, and mounted by that descriptor',
		async attempt(tools) {
			const shared = sharedFolder(tools.folder);
			const {dev, ino} = statSync(shared.data, {bigint: true});
			const {sandbox} = await chooseSandbox(tools.context);
			let box;
			try {
				box = await openBox(tools.context, sandbox, {
					plan(plan) {
						exchange(shared);
						return {
							...plan,
							mounts: [
								...plan.mounts,
								{source: shared.data, target: shared.data, mode: 'read', identity: `${dev}:${ino}`},
							],
						};
					},
				});
				return (await box.run(`cat ${shared.file}`)).output.includes('canary');
			} catch (error) {
				if (/link now/.test((error as Error).message)) {
					return false;
				}

				throw error;
			} finally {
				await box?.close();
			}
		},
	},
	{
		kind: 'host',
		id: 'grant-of-power',
		title: 'be granted what decides about runs, under whatever name',
		source: "a read-only folder with the supervisor's socket is every scope, as a person",
		answer:
			'what holds power over fleet, git or logins is no files scope, by what it is, what it lies in and what lies in it',
		async attempt(tools) {
			const project = await tools.project();
			const {state, config, runtime} = project.context.paths;
			openRuntime(project.context.paths);
			symlinkSync(runtime, path.join(tools.folder, 'harmless'));
			const places = [
				state,
				config,
				runtime,
				path.dirname(state),
				path.join(tools.folder, 'harmless'),
				path.join('/proc/self/root', runtime),
				path.join(project.project, '.git'),
				`${project.project}:rw`,
				homeFolder(),
				path.join(homeFolder(), '.ssh'),
			];
			const granted = await Promise.all(
				places.map(place =>
					filesPlace(project.context, `files:${place}`).then(
						() => true,
						(error: unknown) => !(error instanceof Refusal),
					),
				),
			);
			return granted.includes(true);
		},
	},
	{
		kind: 'host',
		id: 'hard-link-old',
		title: 'write through a hard link that was there before',
		source: 'package stores make hard links, and a hard link pierces every bind mount',
		answer: 'files with a second name become copies before a run starts',
		async attempt(tools) {
			const project = await tools.project();
			const outside = path.join(project.folder, 'outside.txt');
			writeFileSync(outside, 'original\n', {mode: 0o666});
			const {run} = await project.agent('true');
			linkSync(outside, path.join(run.worktree, 'linked.txt'));
			giveToRun(run.id, path.join(run.worktree, 'linked.txt'));
			await project.again(run, 'echo pierced > linked.txt');
			return readFileSync(outside, 'utf8') !== 'original\n';
		},
	},
	{
		kind: 'host',
		id: 'refresh-through-link',
		title: "have the next start write through a link in the run's git folder",
		source: "the host brings today's branches into a folder that the agent wrote",
		answer: 'they are written in a jail in which nothing else is',
		async attempt(tools) {
			const project = await tools.project();
			const outside = path.join(project.folder, 'outside');
			writeFileSync(outside, 'original\n', {mode: 0o666});
			const {run} = await project.agent(
				'c=$(git rev-parse --git-common-dir); for f in objects/info/alternates packed-refs shallow; ' +
					`do rm -f "$c/$f"; ln -s ${outside} "$c/$f"; done`,
			);
			project.git('commit', '--quiet', '--allow-empty', '--message=later');
			await project.again(run, 'true');
			return readFileSync(outside, 'utf8') !== 'original\n';
		},
	},
	{
		kind: 'host',
		id: 'setuid-left-behind',
		title: "leave a program that runs with its owner's rights",
		source: 'setuid bits that outlive a sandbox',
		answer: 'such bits are taken away before anybody looks',
		async attempt(tools) {
			const project = await tools.project();
			const {run} = await project.agent('cp /bin/true left; chmod 6755 left');
			await project.handle(run, ['capture']);
			return ((statSync(path.join(run.worktree, 'left'), {throwIfNoEntry: false})?.mode ?? 0) & 0o6000) !== 0;
		},
	},
	{
		kind: 'host',
		id: 'fifo-over-file',
		title: 'lay a FIFO over a tracked file, so that whoever reads it hangs',
		source: 'git add blocks in open()',
		answer: 'FIFOs, sockets and devices are removed first, and every look has a time limit',
		async attempt(tools) {
			const project = await tools.project();
			const {run} = await project.agent('rm a.txt; mkfifo a.txt; mkfifo b');
			const {capture: captured} = await project.handle(run, ['capture']);
			return !/^[0-9a-f]{40,64}$/.test(captured) || existsSync(path.join(run.worktree, 'b'));
		},
	},
	{
		kind: 'host',
		id: 'fifo-over-rules',
		title: 'lay a FIFO over what git reads at every look',
		source: 'git opens .gitignore and .gitattributes, and waits',
		answer: 'a look does not begin where one lies, and has a time limit; at the end they are removed',
		async attempt(tools) {
			const project = await tools.project();
			const {run} = await project.agent(
				'mkfifo .gitignore .gitattributes; mkdir d; mkfifo d/.gitignore; echo work > work.txt',
			);
			const began = Date.now();
			await countChanges(project.context, run);
			const {capture: captured} = await project.handle(run, ['capture']);
			return Date.now() - began > 60_000 || !/^[0-9a-f]{40,64}$/.test(captured);
		},
	},
	{
		kind: 'host',
		id: 'deep-tree',
		title: 'make folders too deep to walk',
		source: 'a tree 120,000 levels deep crashes naive walkers',
		answer: 'walking happens in a jail with a time limit; removing goes by descriptors',
		async attempt(tools) {
			const project = await tools.project();
			const {run} = await project.agent(
				'perl -e \'for (1 .. 3000) { mkdir "d"; chdir "d" or last } open(F, ">", "f")\'',
			);
			await project.handle(run, ['capture']);
			project.close();
			return existsSync(project.folder);
		},
	},
	{
		kind: 'host',
		id: 'dot-git-folder-mount',
		title: 'have a mount land outside, by a link where the sandbox mounts',
		source: 'CVE-2026-87766: a mount destination below a link that the agent made',
		answer: 'no mount destination is below a folder that the agent can write, but .git, which is put back first',
		async attempt(tools) {
			const project = await tools.project();
			const {run} = await project.agent('true');
			const outside = path.join(project.folder, 'outside');
			// As if the agent had managed it: the sandbox holds .git fast while it lives.
			const {rmSync, symlinkSync} = process.getBuiltinModule('node:fs');
			rmSync(path.join(run.worktree, '.git'), {force: true});
			symlinkSync(outside, path.join(run.worktree, '.git'));
			await project.again(run, 'true');
			return existsSync(outside);
		},
	},
	{
		kind: 'host',
		id: 'policy-aliases',
		title: "take the host's memory with a policy file",
		source: 'YAML aliases that multiply',
		answer: 'aliases are refused',
		attempt: async () => !(parsePolicy(`a: &a [x, x]\nb: &b [*a, *a]\nverify: [*b, *b]\n`) instanceof Error),
	},
	...gateAttacks,
	...profileAttacks,
];
