// `npm test`: installs, builds, and passes everything. Arguments after "--" name test files.
import {spawnSync} from 'node:child_process';
import {
	chmodSync,
	cpSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	realpathSync,
	rmSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {bootstrap, install, root} from './bootstrap.mjs';
import {installAgents} from './install-agents.mjs';
import {installNeeds} from './test-needs.mjs';

const {node, env} = bootstrap();
// Tests find their own way: nothing of the person's runs or of npm's settings reaches them.
for (const name of Object.keys(env)) {
	if (name.startsWith('npm_') || name.startsWith('FLEET_') || name.startsWith('GIT_')) {
		delete env[name];
	}
}

function run(title, argv) {
	const result = spawnSync(node, argv, {cwd: root, env, stdio: ['ignore', 'inherit', 'inherit']});
	if (result.status !== 0) {
		process.stderr.write(`fleet: ${title} failed\n`);
		process.exit(result.status ?? 1);
	}
}

const flags = [
	'--disable-warning=ExperimentalWarning',
	'--import',
	'tsx',
	'--test',
	'--test-timeout=600000',
	'--test-force-exit',
];

// The tests need the real sandbox. Where it is missing it is installed, as the readme says.
run('fleet doctor', [path.join(root, 'dist', 'fleet.cjs'), 'doctor', '--fix', '--yes']);
installNeeds();
install(node, path.join(root, 'scripts', 'mcp'), 'MCP servers for the tests');
if (process.env.CI) {
	// 1.3 GB: elsewhere a person asks for them, with npm run agents:install.
	installAgents();
} else if (!existsSync(path.join(root, 'scripts', 'agents', 'bin'))) {
	process.stdout.write('left out: the real agents, which are not installed (npm run agents:install)\n');
}

run('check', [path.join(root, 'scripts', 'check.mjs')]);
/**
 * What takes minutes and says again, of one more agent, what Claude Code's own test says of the loop: passed by
 * `npm run test:agents`, when an agent's adapter or the loop changed.
 */
const longer = new Set(['codex', 'copilot', 'gemini', 'opencode'].map(agent => `${agent}-rounds.test.ts`));

/** What is about git, words and disks, and not about who calls: long, and passed once. */
const sameForAll = new Set([
	'activity.test.ts',
	'auto-verify.test.ts',
	'client-hello.test.ts',
	'completion.test.ts',
	'crash.test.ts',
	'day-budget.test.ts',
	'decisions.test.ts',
	'deploy-approval.test.ts',
	'deploy.test.ts',
	'deb.test.ts',
	'failed-start.test.ts',
	'filters.test.ts',
	'full-disk-shared.test.ts',
	'full-disk-supervisor.test.ts',
	'full-disk.test.ts',
	'gate-log.test.ts',
	'git-fuzz.test.ts',
	'git-gate.test.ts',
	'git-work.test.ts',
	// One by one as root; all in a few runs, as `fleet doctor --attack git` does it, as an ordinary user.
	'git.test.ts',
	'grant-rules.test.ts',
	'http-fuzz.test.ts',
	'issue.test.ts',
	'journal-tail.test.ts',
	'journal.test.ts',
	'lock-files.test.ts',
	'login-attacks.test.ts',
	'logins.test.ts',
	'mcp-https.test.ts',
	'merge-commit.test.ts',
	'moved.test.ts',
	'notify.test.ts',
	'npm.test.ts',
	'packages.test.ts',
	'part.test.ts',
	'partial.test.ts',
	'plan.test.ts',
	'project-add.test.ts',
	'publish-carriers.test.ts',
	'publish-state.test.ts',
	'publish.test.ts',
	'rebase.test.ts',
	'release.test.ts',
	'remove.test.ts',
	'replies.test.ts',
	'requests-verify.test.ts',
	'requests.test.ts',
	'status.test.ts',
	'train.test.ts',
	'try-policy.test.ts',
	'unviewed.test.ts',
	'upgrade.test.ts',
	'verify.test.ts',
	'waive.test.ts',
	'worktree.test.ts',
]);

const wanted = process.argv.slice(2);
if (wanted.length > 0) {
	test({program: node, folder: root, env, files: wanted});
} else {
	test({
		program: node,
		folder: root,
		env,
		files: readdirSync(path.join(root, 'test'), {recursive: true})
			.filter(file => /\.test\.tsx?$/.test(file) && !longer.has(path.basename(file)))
			.map(file => path.join(root, 'test', file)),
	});
	asOrdinaryUser();
}

/**
 * Passes test files. Where up to five of them fail, those are run once more, one after another: on a busy machine a
 * real terminal or a real process can be late. What passes then is named as unsteady, so that it is seen.
 */
function test({program, folder, env, files, user = {}}) {
	const list = path.join(os.tmpdir(), `fleet-failed-${process.pid}-${user.uid ?? 'own'}`);
	const attempt = (files, concurrency) => {
		rmSync(list, {force: true});
		const reporters = [
			'--test-reporter=spec',
			'--test-reporter-destination=stdout',
			`--test-reporter=${path.join(folder, 'scripts', 'failed-files.mjs')}`,
			'--test-reporter-destination=stderr',
		];
		return spawnSync(program, [...flags, ...reporters, `--test-concurrency=${concurrency}`, ...files], {
			cwd: folder,
			env: {...env, FAILED_FILES: list},
			stdio: ['ignore', 'inherit', 'inherit'],
			...user,
		}).status;
	};

	let status = attempt(files, 3);
	const failed = existsSync(list)
		? [
				...new Set(
					readFileSync(list, 'utf8')
						.split('\n')
						.filter(name => name !== ''),
				),
			]
		: [];
	if (status !== 0 && failed.length > 0 && failed.length <= 5) {
		process.stdout.write(
			`\nonce more, one after another: ${failed.map(name => path.relative(folder, name)).join(', ')}\n`,
		);
		status = attempt(failed, 1);
		if (status === 0) {
			process.stdout.write(
				`\nunsteady, passed the second time: ${failed.map(name => path.relative(folder, name)).join(', ')}\n`,
			);
		}
	}

	rmSync(list, {force: true});
	if (status !== 0) {
		process.stderr.write('fleet: tests failed\n');
		process.exitCode = status ?? 1;
	}
}

/**
 * What depends on who calls is passed again by a user without
 * rights, where the caller is root: containment is promised to both.
 */
function asOrdinaryUser() {
	if (process.getuid?.() !== 0 || process.exitCode) {
		return;
	}

	const [uid, gid] = [64_998, 64_998];
	const name = 'fleet-test';
	if (
		spawnSync('getent', ['passwd', String(uid)]).status !== 0 &&
		spawnSync(
			'useradd',
			[
				'--uid',
				String(uid),
				'--user-group',
				'--no-create-home',
				'--home-dir',
				'/nonexistent',
				'--shell',
				'/usr/sbin/nologin',
				name,
			],
			{env: {PATH: '/usr/sbin:/sbin:/usr/bin:/bin'}},
		).status !== 0
	) {
		process.stderr.write('fleet: the tests could not be passed as an ordinary user: useradd failed\n');
		process.exit(1);
	}

	// The checkout may lie where that user cannot go.
	const base = mkdtempSync(path.join(realpathSync(os.tmpdir()), 'fleet-ordinary-'));
	// Not round the tests' own folders: what holds fleet's own program, or lies on the search path, is given to no run.
	const folder = path.join(base, 'checkout');
	mkdirSync(folder);
	try {
		for (const entry of [
			'source',
			'test',
			'scripts',
			'dist',
			'docs',
			'node_modules',
			'package.json',
			'tsconfig.json',
			'readme.md',
		]) {
			if (existsSync(path.join(root, entry))) {
				// Not the agents and Nodes that scripts/ may hold: more than a gigabyte, and not asked for there.
				cpSync(path.join(root, entry), path.join(folder, entry), {
					recursive: true,
					verbatimSymlinks: true,
					filter: source => !/[\\/]scripts[\\/](?:agents|node)$/.test(source),
				});
			}
		}

		chmodSync(base, 0o755);
		chmodSync(folder, 0o755);
		mkdirSync(path.join(folder, 'bin'), {mode: 0o755});
		const program = path.join(folder, 'bin', path.basename(node));
		cpSync(node, program);
		chmodSync(program, 0o755);
		const home = path.join(base, 'home');
		spawnSync('install', ['-d', '-m', '0700', '-o', String(uid), '-g', String(gid), home, path.join(base, 'tmp')]);
		const files = [
			...['attacks', 'sandboxes', 'host', 'engine', 'crash', 'vaults'].flatMap(name =>
				readdirSync(path.join(folder, 'test', name))
					.filter(file => file.endsWith('.test.ts') && !sameForAll.has(file))
					.map(file => path.join(folder, 'test', name, file)),
			),
			path.join(folder, 'test', 'commands', 'doctor.test.ts'),
			path.join(folder, 'test', 'commands', 'secret.test.ts'),
		];
		const own = {
			PATH: `${folder}/bin:${env.PATH.split(':')
				.filter(place => !place.startsWith(root))
				.join(':')}`,
			HOME: home,
			TMPDIR: path.join(base, 'tmp'),
			LANG: 'C.UTF-8',
			TERM: 'xterm-256color',
			USER: name,
			...(env.CI ? {CI: env.CI} : {}),
		};
		process.stdout.write(`\nas an ordinary user (${name}, uid ${uid}):\n`);
		test({program, folder, env: own, files, user: {uid, gid}});
	} finally {
		rmSync(base, {recursive: true, force: true});
	}
}
