import assert from 'node:assert/strict';
import {
	chmodSync,
	copyFileSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {after, test} from 'node:test';
import {Refusal} from '../../source/core/refusal.ts';
import type {Shell, Toolchain, Tools} from '../../source/core/toolchain.ts';
import {shellPath, shellTools} from '../../source/engine/sandbox/tools.ts';
import {toolchains} from '../../source/toolchains/registry.ts';

/* What every kind of toolchain promises; see core/toolchain.ts. Each layout is as the real manager makes it. */

const root = mkdtempSync(path.join(os.tmpdir(), 'toolchains-'));
after(() => rmSync(root, {recursive: true, force: true}));

/** Writes files below a folder: text, `!` before it for a program, `@` before it for a link. */
function lay(folder: string, files: Readonly<Record<string, string>>): void {
	for (const [name, text] of Object.entries(files)) {
		const file = path.join(folder, name);
		mkdirSync(path.dirname(file), {recursive: true});
		if (text.startsWith('@')) {
			symlinkSync(text.slice(1), file);
		} else if (text === 'ELF') {
			copyFileSync('/bin/true', file);
			chmodSync(file, 0o755);
		} else {
			writeFileSync(file, text.replace(/^!/, ''));
			chmodSync(file, text.startsWith('!') ? 0o755 : 0o644);
		}
	}
}

const shim = '!#!/bin/sh\nexec manager exec "$0" "$@"\n';
const program = '!#!/bin/sh\necho it\n';
const nodeAt = (prefix: string) => ({
	[`${prefix}/bin/node`]: program,
	[`${prefix}/bin/npm`]: program,
	[`${prefix}/include/node/node_version.h`]: '',
});

type Layout = {
	readonly kind: string;
	/** Below the home. */
	readonly files: Readonly<Record<string, string>>;
	readonly project?: Readonly<Record<string, string>>;
	/** The folder of the search path, below the home. */
	readonly folder: string;
	/** Folders of the search path inside, below the home. */
	readonly path: readonly string[];
	readonly title: RegExp;
	/** A version file of the project for one that is not installed, and the command that the hint names. */
	readonly missing?: {readonly project: Readonly<Record<string, string>>; readonly hint: RegExp};
	readonly env?: Readonly<Record<string, string>>;
};

const layouts: Readonly<Record<string, Layout>> = {
	nvm: {
		kind: 'node',
		files: {
			...nodeAt('.nvm/versions/node/v20.1.0'),
			...nodeAt('.nvm/versions/node/v22.3.0'),
			'.nvm/alias/default': '20',
		},
		project: {'.nvmrc': 'v22\n'},
		folder: '.nvm/versions/node/v20.1.0/bin',
		path: ['.nvm/versions/node/v22.3.0/bin'],
		env: {npm_package_config_node_gyp_nodedir: '.nvm/versions/node/v22.3.0'},
		title: /^Node\.js v22\.3\.0$/,
		missing: {project: {'.nvmrc': '18'}, hint: /^nvm install 18$/},
	},
	fnm: {
		kind: 'node',
		files: {
			...nodeAt('.local/share/fnm/node-versions/v20.1.0/installation'),
			multishell: '@.local/share/fnm/node-versions/v20.1.0/installation',
		},
		folder: 'multishell/bin',
		path: ['.local/share/fnm/node-versions/v20.1.0/installation/bin'],
		title: /v20\.1\.0/,
	},
	archive: {
		kind: 'node',
		files: nodeAt('tools/node-v24.1.0-linux-x64'),
		folder: 'tools/node-v24.1.0-linux-x64/bin',
		path: ['tools/node-v24.1.0-linux-x64/bin'],
		title: /24\.1\.0/,
	},
	volta: {
		kind: 'volta',
		files: {
			'.volta/bin/node': shim,
			...nodeAt('.volta/tools/image/node/20.1.0'),
			...nodeAt('.volta/tools/image/node/22.0.0'),
			'.volta/tools/image/yarn/4.1.0/bin/yarn': program,
			'.volta/tools/user/platform.json': '{"node":{"runtime":"20.1.0","npm":null},"yarn":"4.1.0"}',
		},
		project: {'package.json': '{"volta":{"node":"22.0.0"}}'},
		folder: '.volta/bin',
		path: ['.volta/tools/image/yarn/4.1.0/bin', '.volta/tools/image/node/22.0.0/bin'],
		env: {npm_package_config_node_gyp_nodedir: '.volta/tools/image/node/22.0.0'},
		title: /22\.0\.0/,
		missing: {project: {'package.json': '{"volta":{"node":"19.0.0"}}'}, hint: /^volta install node@19\.0\.0$/},
	},
	pyenv: {
		kind: 'pyenv',
		files: {
			'.pyenv/shims/python3': shim,
			'.pyenv/version': '3.9.2\n',
			'.pyenv/versions/3.9.2/bin/python3': program,
			'.pyenv/versions/3.12.1/bin/python3': program,
			'.pyenv/versions/3.12.10/bin/python3': program,
		},
		project: {'.python-version': '3.12\n'},
		folder: '.pyenv/shims',
		path: ['.pyenv/versions/3.12.10/bin'],
		title: /3\.12\.10/,
		missing: {project: {'.python-version': '3.13'}, hint: /^pyenv install 3\.13$/},
	},
	rustup: {
		kind: 'rust',
		files: {
			'.cargo/bin/rustup': program,
			'.cargo/bin/cargo': '@rustup',
			'.rustup/settings.toml': 'default_toolchain = "stable-x86_64-unknown-linux-gnu"\n',
			'.rustup/toolchains/stable-x86_64-unknown-linux-gnu/bin/cargo': program,
			'.rustup/toolchains/1.70.0-x86_64-unknown-linux-gnu/bin/cargo': program,
		},
		project: {'rust-toolchain.toml': '[toolchain]\nchannel = "1.70.0"\n'},
		folder: '.cargo/bin',
		path: ['.cargo/bin'],
		title: /1\.70\.0/,
		missing: {
			project: {'rust-toolchain.toml': '[toolchain]\nchannel = "1.60.0"\n'},
			hint: /^rustup toolchain install 1\.60\.0$/,
		},
	},
	asdf: {
		kind: 'asdf',
		files: {
			'.asdf/shims/node': shim,
			'.asdf/installs/nodejs/20.1.0/bin/node': program,
			'.asdf/installs/golang/1.22.0/go/bin/go': program,
			'.tool-versions': 'golang 1.22.0\n',
		},
		project: {'.tool-versions': 'nodejs 20.1.0 # the last one\n'},
		folder: '.asdf/shims',
		path: ['.asdf/installs/nodejs/20.1.0/bin', '.asdf/installs/golang/1.22.0/go/bin'],
		title: /nodejs 20\.1\.0, golang 1\.22\.0/,
		missing: {project: {'.tool-versions': 'nodejs 4.0.0\n'}, hint: /^asdf install nodejs 4\.0\.0$/},
	},
	mise: {
		kind: 'mise',
		files: {
			'.local/share/mise/shims/node': shim,
			'.local/share/mise/installs/node/20.1.0/bin/node': program,
			'.local/share/mise/installs/node/20': '@20.1.0',
			'.local/share/mise/installs/java/21.0.1/bin/java': program,
		},
		project: {'mise.toml': '[env]\nA = "1"\n\n[tools]\nnode = "20"\njava = {version = "21"}\n\n[tasks]\nx = "99"\n'},
		folder: '.local/share/mise/shims',
		path: ['.local/share/mise/installs/node/20.1.0/bin', '.local/share/mise/installs/java/21.0.1/bin'],
		title: /node 20\.1\.0, java 21\.0\.1/,
		missing: {project: {'mise.toml': '[tools]\nnode = "4"\n'}, hint: /^mise install node@4$/},
		env: {JAVA_HOME: '.local/share/mise/installs/java/21.0.1'},
	},
	go: {
		kind: 'go',
		files: {'sdk/go1.22.1/bin/go': program, 'sdk/go1.22.1/VERSION': 'go1.22.1\ntime 2024\n'},
		folder: 'sdk/go1.22.1/bin',
		path: ['sdk/go1.22.1/bin'],
		title: /^Go 1\.22\.1$/,
		env: {GOROOT: 'sdk/go1.22.1'},
	},
	'go install': {
		kind: 'go-programs',
		files: {'go/bin/staticcheck': 'ELF', 'go/pkg/mod/cache/x': ''},
		folder: 'go/bin',
		path: ['go/bin'],
		title: /go install/,
	},
	sdkman: {
		kind: 'jvm',
		files: {
			'.sdkman/candidates/java/21.0.1-tem/bin/java': program,
			'.sdkman/candidates/java/21.0.1-tem/release': 'IMPLEMENTOR="x"\nJAVA_VERSION="21.0.1"\n',
			'.sdkman/candidates/java/current': '@21.0.1-tem',
			'.sdkman/etc/config': '',
		},
		folder: '.sdkman/candidates/java/current/bin',
		path: ['.sdkman/candidates/java/21.0.1-tem/bin'],
		title: /^Java 21\.0\.1$/,
		env: {JAVA_HOME: '.sdkman/candidates/java/21.0.1-tem'},
	},
	maven: {
		kind: 'jvm',
		files: {'tools/apache-maven-3.9.6/bin/mvn': program, 'tools/apache-maven-3.9.6/lib/maven-core.jar': ''},
		folder: 'tools/apache-maven-3.9.6/bin',
		path: ['tools/apache-maven-3.9.6/bin'],
		title: /apache-maven-3\.9\.6/,
	},
	bun: {
		kind: 'singles',
		files: {'.bun/bin/bun': 'ELF', '.bun/install/cache/x': ''},
		folder: '.bun/bin',
		path: ['.bun/bin'],
		title: /Bun/,
	},
	deno: {kind: 'singles', files: {'.deno/bin/deno': 'ELF'}, folder: '.deno/bin', path: ['.deno/bin'], title: /Deno/},
	homebrew: {
		kind: 'homebrew',
		files: {
			'.linuxbrew/Cellar/jq/1.7/bin/jq': 'ELF',
			'.linuxbrew/bin/jq': '@../Cellar/jq/1.7/bin/jq',
			'.linuxbrew/var/log/secret': '',
		},
		folder: '.linuxbrew/bin',
		path: ['.linuxbrew/bin'],
		title: /Homebrew/,
	},
	pipx: {
		kind: 'local',
		files: {
			'.local/share/pipx/venvs/black/bin/black': program,
			'.local/share/pipx/venvs/black/pyvenv.cfg': 'home = /usr/bin\n',
			'.local/bin/black': '@../share/pipx/venvs/black/bin/black',
			'.local/bin/rg': 'ELF',
			'.local/bin/my-lint': '!#!/bin/sh\nexec lint --all "$@"\n',
			'.local/bin/my-deploy': '!#!/bin/sh\nTOKEN=abc deploy\n',
			'.local/bin/my-clone': '!#!/bin/sh\ngit clone https://me:abc@git.example/x\n',
			'.local/bin/my-push': `!#!/bin/sh\nexport X=ghp_${'a1B2'.repeat(9)}\n`,
		},
		folder: '.local/bin',
		path: ['.local/bin'],
		title: /3 programs/,
	},
};

/** Logins of every package manager, as a person has them beside the tools. */
const logins = [
	'.npmrc',
	'.pypirc',
	'.netrc',
	'.cargo/credentials.toml',
	'.m2/settings.xml',
	'.gradle/gradle.properties',
	'.ssh/id_ed25519',
	'.config/gh/hosts.yml',
];

let count = 0;

function make(layout: Layout, project = layout.project ?? {}): {shell: Shell; folder: string; home: string} {
	const home = path.join(root, `home-${++count}`);
	lay(home, layout.files);
	lay(home, Object.fromEntries(logins.map(name => [name, 'token'])));
	const own = path.join(home, 'work/project');
	mkdirSync(own, {recursive: true});
	lay(own, project);
	const folder = path.join(home, layout.folder);
	return {shell: {path: [folder], home, environment: {}, project: own}, folder, home};
}

/** Everything below a folder: names, and what they are. */
function everything(folder: string): string {
	return readdirSync(folder, {recursive: true, withFileTypes: true})
		.map(entry => `${entry.parentPath}/${entry.name} ${entry.isFile()}`)
		.sort()
		.join('\n');
}

/** How a kind breaks its promise for a layout; empty where it keeps it. */
function breaches(kind: Toolchain, layout: Layout): string[] {
	const found: string[] = [];
	const made = make(layout);
	const {folder, home} = made;
	const read = new Set<string | symbol>();
	const environment = new Proxy<Record<string, undefined>>(
		{},
		{
			get(_, name) {
				read.add(name);
				return undefined;
			},
		},
	);
	const shell: Shell = {...made.shell, environment};
	const before = everything(home);
	const tools = kind.find(folder, shell);
	if (tools === undefined || tools instanceof Refusal) {
		return [`it does not know its own folder: ${tools?.because ?? ''}`];
	}

	if (JSON.stringify(tools.path) !== JSON.stringify(layout.path.map(name => path.join(home, name)))) {
		found.push(`the search path is ${tools.path.join(':')}`);
	}

	if (!layout.title.test(tools.title)) {
		found.push(`it is called ${tools.title}`);
	}

	const env = Object.fromEntries(
		Object.entries(layout.env ?? {}).map(([name, place]) => [name, path.join(home, place)]),
	);
	if (Object.entries(env).some(([name, value]) => tools.env[name] !== value)) {
		found.push(`its variables are ${JSON.stringify(tools.env)}`);
	}

	for (const mount of tools.mounts) {
		if (mount.mode !== 'read') {
			found.push(`${mount.target} can be written`);
		}

		if (logins.some(name => `${path.join(home, name)}/`.startsWith(`${mount.source}/`))) {
			found.push(`${mount.source} holds a login`);
		}
	}

	if (
		!tools.path.every(place =>
			tools.mounts.some(({target}) => `${target}/`.startsWith(`${place}/`) || `${place}/`.startsWith(`${target}/`)),
		)
	) {
		found.push('a folder of the search path is not mounted');
	}

	if ([...read].some(name => !kind.variables.includes(String(name)))) {
		found.push(`it reads ${[...read].map(String).join()}, and does not say so`);
	}

	if (everything(home) !== before) {
		found.push('it changes the disk');
	}

	if (layout.missing) {
		const other = make(layout, layout.missing.project);
		const refusal = kind.find(other.folder, other.shell);
		if (!(refusal instanceof Refusal) || !layout.missing.hint.test(refusal.hint)) {
			found.push('a version that is not installed is passed over');
		}
	}

	for (const strange of ['/', '/nonexistent', home, '/usr/bin', '/proc/self', path.join(home, 'work')]) {
		const answer = kind.find(strange, {...shell, project: '/proc/self'});
		if (answer !== undefined && !(answer instanceof Refusal) && answer.path.length > 0) {
			found.push(`it claims ${strange}`);
		}
	}

	return found;
}

for (const [name, layout] of Object.entries(layouts)) {
	test(`${name}: ${layout.kind} keeps the contract`, () => {
		const kind = toolchains.find(one => one.id === layout.kind)!;
		assert.deepEqual(breaches(kind, layout), []);
		// Nobody else answers before it.
		const {shell, folder} = make(layout);
		assert.equal(toolchains.find(one => one.find(folder, shell) !== undefined)?.id, kind.id);
	});
}

test('every kind has a layout, but those whose place is the machine’s own', () => {
	const tried = new Set(Object.values(layouts).map(({kind}) => kind));
	assert.deepEqual(
		toolchains.map(({id}) => id).filter(id => !tried.has(id)),
		['nix', 'opt'],
	);
});

test('the suite notices careless kinds', () => {
	const kind = toolchains.find(one => one.id === 'pyenv')!;
	const layout = layouts['pyenv']!;
	const change = (by: (tools: Tools, shell: Shell) => Tools | Refusal | undefined): Toolchain => ({
		...kind,
		find(folder, shell) {
			const tools = kind.find(folder, shell);
			return tools === undefined || tools instanceof Refusal ? tools : by(tools, shell);
		},
	});
	for (const careless of [
		change((tools, {home}) => ({...tools, mounts: [{source: home, target: home, mode: 'read'}]})),
		change(tools => ({...tools, mounts: tools.mounts.map(mount => ({...mount, mode: 'write'}))})),
		change(tools => ({...tools, mounts: []})),
		change(tools => ({...tools, path: []})),
		change((tools, {home}) => {
			writeFileSync(path.join(home, 'x'), '');
			return tools;
		}),
		{...kind, variables: []},
		{...kind, find: (folder: string, shell: Shell) => kind.find(folder, {...shell, project: undefined})},
	]) {
		assert.notDeepEqual(breaches(careless, layout), []);
	}
});

test('what stands before the search path of the shell is not the project’s', () => {
	assert.deepEqual(shellPath({PATH: '/a/node_modules/.bin:/x/node-gyp-bin:relative:/a/bin:/a/bin:/usr/bin'}), [
		'/a/bin',
		'/usr/bin',
	]);
	assert.deepEqual(shellPath({PATH: '/pinned/bin:/usr/bin', FLEET_PATH: '/usr/bin'}), ['/usr/bin']);
});

test('the order of the search path holds, what is unknown is named, and what would show a login stays outside', () => {
	const {home} = make(layouts['pyenv']!);
	lay(home, {'unknown/bin/x': program, ...nodeAt('node-v22.0.0')});
	const folders = ['.pyenv/shims', 'unknown/bin', 'node-v22.0.0/bin'].map(name => path.join(home, name));
	const environment = {HOME: home, PATH: [folders[0], '/usr/bin', folders[1], folders[2], '/gone'].join(':')};
	const tools = shellTools(toolchains, {environment});
	assert.deepEqual(tools.path.slice(0, 3), [
		path.join(home, '.pyenv/versions/3.9.2/bin'),
		'/usr/bin',
		path.join(home, 'node-v22.0.0/bin'),
	]);
	assert.deepEqual(
		tools.left.map(({folder}) => folder),
		[folders[1]],
	);
	const careless: Toolchain = {
		id: 'x',
		title: 'x',
		variables: [],
		find: () => ({title: 'x', path: [home], mounts: [{source: home, target: home, mode: 'read'}], env: {}}),
	};
	const shown = shellTools([careless], {environment});
	assert.deepEqual([shown.mounts, shown.found], [[], []]);
	assert.match(shown.left[0]!.because, /holds logins/);
	for (const guarded of [path.join(home, '.pyenv'), path.join(home, '.pyenv/versions/3.9.2/lib')]) {
		const other = shellTools(toolchains, {environment, guarded: [guarded]});
		assert.match(other.left[0]!.because, /is a project's, or fleet's own/);
	}
});
