import assert from 'node:assert/strict';
import {execFileSync, spawnSync} from 'node:child_process';
import {
	chmodSync,
	existsSync,
	linkSync,
	mkdirSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import process from 'node:process';
import {attacks} from '../../source/attacks/catalogue.ts';
import {markerOf, mergedAttacks} from '../../source/attacks/merged.ts';
import {plantProfile, profileChanges} from '../../source/attacks/profile.ts';
import {ThrowawayProject} from '../../source/attacks/project.ts';
import {dropUidOf} from '../../source/core/plan.ts';
import {giveToRun} from '../../source/host/run-owner.ts';
import {depths, diskScript, memoryScript, widths} from '../../source/attacks/gate.ts';
import type {SandboxPlan} from '../../source/core/plan.ts';
import {bubblewrap} from '../../source/sandboxes/bubblewrap/index.ts';
import {parse} from 'yaml';
import {attackContext, testArea} from '../support/attack.ts';
import {openBox} from '../support/sandbox.ts';

/* Attacks on fleet itself, and the same with the guard left out: by the plain tool that has none. */

const context = attackContext();

async function withProject<Result>(
	files: Readonly<Record<string, string>>,
	work: (project: ThrowawayProject) => Promise<Result>,
): Promise<Result> {
	const project = await ThrowawayProject.make(context, files);
	try {
		return await work(project);
	} finally {
		project.close();
	}
}

const unlimited = (plan: SandboxPlan): SandboxPlan => ({
	...plan,
	limits: {...plan.limits, memory: Number.POSITIVE_INFINITY, growth: Number.POSITIVE_INFINITY},
});

/** Takes a run's work over and merges it by hand, without the gate. */
function mergedByHand(script: string, came: (project: ThrowawayProject) => boolean): () => Promise<boolean> {
	return () =>
		withProject({}, async project => {
			const {run} = await project.agent(script);
			const {capture: captured} = await project.handle(run, ['capture']);
			project.git('merge', '--quiet', '--no-edit', captured);
			return came(project);
		});
}

const scriptOf = {
	names: 'n=$(printf "evil\\033[2Jname"); echo x > "$n"; git add -A; git commit --quiet -m x',
	bare:
		'mkdir -p docs/objects docs/refs && echo "ref: refs/heads/main" > docs/HEAD && ' +
		'touch docs/objects/.keep docs/refs/.keep docs/config && git add -A && git commit --quiet -m docs',
};

/** A mount of whatever a name means at the moment, as other tools make it. */
async function throughName(script: string): Promise<boolean> {
	const box = await openBox({
		sandbox: bubblewrap,
		plan(plan, folder) {
			mkdirSync(path.join(folder, 'secret'), {mode: 0o755});
			writeFileSync(path.join(folder, 'secret', 'file'), 'canary-of-the-host');
			symlinkSync(path.join(folder, 'secret'), path.join(folder, 'data'));
			return {
				...plan,
				mounts: [...plan.mounts, {source: path.join(folder, 'data'), target: '/opt/data', mode: 'read'}],
			};
		},
	});
	try {
		return (await box.run(script)).output.includes('canary');
	} finally {
		await box.close();
	}
}

testArea('host', {
	...Object.fromEntries(
		mergedAttacks.map(({id, files, prepare, script, came}) => [
			id,
			() =>
				withProject(files ?? {}, async project => {
					const marker = markerOf(project);
					prepare?.(project, marker);
					const {run} = await project.agent(script(marker));
					const {capture: captured} = await project.handle(run, ['capture']);
					project.git('merge', '--quiet', '--no-edit', captured);
					return came(project, marker);
				}),
		]),
	),
	'fifo-over-rules': () =>
		withProject({}, async project => {
			const {run} = await project.agent('mkfifo .gitignore');
			return (
				spawnSync(
					'git',
					['--git-dir', path.join(project.project, '.git'), '--work-tree', run.worktree, 'status', '--short'],
					{timeout: 3000, stdio: 'ignore', env: {PATH: process.env['PATH']!, HOME: project.folder}},
				).signal !== null
			);
		}),
	// As other tools copy it: what lies there at the moment, with links followed.
	...Object.fromEntries(
		(['skill', 'link'] as const).map(what => [
			what === 'skill' ? 'profile-changed' : 'profile-link',
			() =>
				withProject({}, async project => {
					const home = plantProfile(project, 'attack');
					profileChanges[what](home);
					const copy = path.join(project.folder, 'copy');
					execFileSync('cp', ['-rL', path.join(home, '.claude'), copy]);
					return /evil|canary/.test(execFileSync('grep', ['-rh', '.', copy], {encoding: 'utf8'}));
				}),
		]),
	),
	'granted-folder-exchanged': () => throughName('cat /opt/data/file'),
	'exchanged-before-the-mount': () => throughName('cat /opt/data/file'),
	// A folder with a socket in it, mounted read-only: what answers there takes every word.
	async 'grant-of-power'() {
		const server = net.createServer(socket => socket.end('every scope'));
		const box = await openBox({
			sandbox: bubblewrap,
			plan: (plan, folder) => {
				mkdirSync(path.join(folder, 'sockets'), {mode: 0o755});
				return {
					...plan,
					mounts: [
						...plan.mounts,
						{source: path.join(folder, 'sockets'), target: path.join(folder, 'sockets'), mode: 'read'},
					],
				};
			},
		});
		try {
			const socket = path.join(box.folder, 'sockets', 's');
			await new Promise<void>(resolve => {
				server.listen(socket, resolve);
			});
			chmodSync(socket, 0o777);
			return (
				await box.run(
					"perl -MSocket -e 'socket(S, AF_UNIX, SOCK_STREAM, 0); " +
						`print connect(S, sockaddr_un("${socket}")) ? <S> : "no: $!"'`,
				)
			).output.includes('every scope');
		} finally {
			await box.close();
			server.close();
		}
	},
	'control-bytes-in-name': mergedByHand(scriptOf.names, project =>
		project.git('ls-tree', '-z', '--name-only', 'main').includes('\u001B'),
	),
	'bare-repository-merged': mergedByHand(scriptOf.bare, project =>
		project.git('ls-tree', '-r', '--name-only', 'main').includes('docs/HEAD'),
	),
	'unrelated-history': () =>
		withProject({}, async project => {
			project.git('checkout', '--quiet', '--orphan', 'elsewhere');
			project.git('commit', '--quiet', '--message=x');
			project.git('checkout', '--quiet', 'main');
			project.git('merge', '--quiet', '--allow-unrelated-histories', '--no-edit', 'elsewhere');
			return project.git('rev-list', '--max-parents=0', 'main').split('\n').length === 2;
		}),
	// The policy on main is what the branch would like it to be.
	'weaken-verify': () =>
		withProject({}, async project => {
			const {run} = await project.agent('echo x > x; git add -A; git commit --quiet -m x');
			return (await project.handle(run)).verify === 'true';
		}),
	// The exit code alone, as a shell has it.
	'tests-removed': () =>
		spawnSync('node', ['--test'], {
			cwd: mkdtempSync(path.join(context.paths.state, 'empty-')),
			env: {PATH: `${path.dirname(process.execPath)}:${process.env['PATH']!}`},
		}).status === 0,
	'check-removed': () =>
		spawnSync('sh', ['-c', 'sh check.sh | cat'], {
			cwd: mkdtempSync(path.join(context.paths.state, 'empty-')),
			stdio: 'ignore',
		}).status === 0,
	'verify-reaches-out': () =>
		withProject({}, async project => {
			writeFileSync(path.join(project.folder, 'secret'), 'canary-of-the-host');
			execFileSync('sh', ['-c', `grep -q canary ${path.join(project.folder, 'secret')}`]);
			return true;
		}),
	// The host writes there itself.
	'refresh-through-link': () =>
		withProject({}, async project => {
			const outside = path.join(project.folder, 'outside');
			writeFileSync(outside, 'original\n', {mode: 0o666});
			const {run} = await project.agent(
				`c=$(git rev-parse --git-common-dir); rm -f "$c/packed-refs"; ln -s ${outside} "$c/packed-refs"`,
			);
			writeFileSync(path.join(project.context.paths.run(run.id).privateGit, 'packed-refs'), 'moved\n');
			return readFileSync(outside, 'utf8') === 'moved\n';
		}),
	async 'hard-link-old'() {
		const box = await openBox();
		const outside = path.join(box.folder, 'outside.txt');
		writeFileSync(outside, 'original\n');
		linkSync(outside, path.join(box.work, 'linked.txt'));
		giveToRun('box', path.join(box.work, 'linked.txt'));
		await box.run('echo pierced > linked.txt');
		return readFileSync(outside, 'utf8') === 'pierced\n';
	},
	'setuid-left-behind': () =>
		withProject({}, async project => {
			const {run} = await project.agent('cp /bin/true left; chmod 6755 left');
			return (statSync(path.join(run.worktree, 'left')).mode & 0o6000) !== 0;
		}),
	'fifo-over-file': () =>
		withProject({}, async project => {
			const {run} = await project.agent('mkfifo b');
			return statSync(path.join(run.worktree, 'b')).isFIFO();
		}),
	// Plain git unpacks it, with all the memory that it gets.
	'wide-tree': () =>
		withProject({}, async project => {
			const {git} = project;
			execFileSync('sh', ['-c', widths], {
				cwd: project.project,
				env: {PATH: process.env['PATH']!, HOME: path.join(project.folder, 'home')},
			});
			const {status} = spawnSync('prlimit', ['--as=500000000', '--', 'git', 'read-tree', git('rev-parse', 'HEAD')], {
				cwd: project.project,
				env: {
					PATH: process.env['PATH']!,
					HOME: path.join(project.folder, 'home'),
					GIT_INDEX_FILE: path.join(project.folder, 'index'),
				},
				timeout: 30_000,
				stdio: 'ignore',
			});
			return status !== 0;
		}),
	'deep-commit': () =>
		withProject({}, async project => {
			execFileSync('sh', ['-c', depths], {
				cwd: project.project,
				env: {PATH: process.env['PATH']!, HOME: path.join(project.folder, 'home')},
			});
			// Nobody can check it out.
			return (
				spawnSync('git', ['reset', '--hard', '--quiet'], {
					cwd: project.project,
					env: {PATH: process.env['PATH']!, HOME: path.join(project.folder, 'home')},
					timeout: 30_000,
					stdio: 'ignore',
				}).status !== 0
			);
		}),
	// As every sandbox was before: no limit but that of each process.
	'verify-memory': async () =>
		(await (await openBox({plan: unlimited})).run(`${memoryScript} && echo kept`)).output === 'kept',
	'verify-disk': async () =>
		(await (await openBox({plan: unlimited})).run(`${diskScript}; echo kept`)).output === 'kept',
	'deep-tree': () =>
		withProject({}, async project => {
			const {run} = await project.agent(
				'perl -e \'for (1 .. 3000) { mkdir "d"; chdir "d" or last } open(F, ">", "f")\'',
			);
			try {
				rmSync(path.join(run.worktree, 'd'), {recursive: true});
				return false;
			} catch {
				return true;
			}
		}),
	// A tool that does not look at git's exit code, as an ordinary user.
	'unreadable-work': () =>
		withProject({}, async project => {
			mkdirSync(path.join(project.folder, 'w'));
			const folder = path.join(project.folder, 'w');
			const user = process.getuid?.() === 0 ? {uid: dropUidOf('x'), gid: dropUidOf('x')} : {};
			if (process.getuid?.() === 0) {
				execFileSync('chown', [`${dropUidOf('x')}:${dropUidOf('x')}`, folder]);
				execFileSync('chmod', ['755', project.folder]);
			}

			execFileSync(
				'sh',
				[
					'-c',
					'git init --quiet .; mkdir closed; echo precious > closed/file; chmod 0 closed; git add -A 2> /dev/null; ' +
						'git -c user.name=x -c user.email=x@x.invalid commit --quiet --allow-empty -m x',
				],
				{cwd: folder, env: {PATH: process.env['PATH']!, HOME: folder}, ...user},
			);
			return (
				execFileSync('git', ['-c', 'safe.directory=*', '-C', folder, 'ls-tree', '-r', '--name-only', 'HEAD'], {
					encoding: 'utf8',
					...user,
					env: {PATH: process.env['PATH']!, HOME: folder},
				}).trim() === ''
			);
		}),
	async 'dot-git-folder-mount'() {
		// Bubblewrap itself, with a destination below a link: where a later
		// version refuses, that is its guard, and ours is a second one.
		let outside = '';
		try {
			const box = await openBox({
				sandbox: bubblewrap,
				plan(plan, folder) {
					outside = path.join(folder, 'outside');
					writeFileSync(path.join(folder, 'file'), '');
					symlinkSync(outside, path.join(folder, 'work', '.git'));
					return {
						...plan,
						mounts: [
							...plan.mounts,
							{source: path.join(folder, 'file'), target: path.join(folder, 'work', '.git'), mode: 'read'},
						],
					};
				},
			});
			const {output} = await box.run('echo inside');
			return output !== 'inside' || existsSync(outside) || existsSync(path.join(box.folder, 'outside'));
		} catch {
			return true;
		}
	},
	'policy-aliases': () => Array.isArray((parse('a: &a [x, x]\nb: &b [*a, *a]\n') as {b: unknown[]}).b[0]),
});

assert.ok(attacks.length >= 75, `${attacks.length} attacks`);
