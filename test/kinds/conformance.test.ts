import assert from 'node:assert/strict';
import {test} from 'node:test';
import {parsePolicy} from '../../source/core/policy.ts';
import type {ProjectFolder, ProjectKind, Proposed} from '../../source/core/project-kind.ts';
import {Refusal} from '../../source/core/refusal.ts';
import {publicRegistries} from '../../source/kinds/hosts.ts';
import {kinds} from '../../source/kinds/registry.ts';

/* What every kind of project promises; see core/project-kind.ts. */

type Layout = {
	readonly kind: string;
	readonly files: Readonly<Record<string, string>>;
	/** Programs that are there; all, where it is left out. */
	readonly programs?: readonly string[];
	readonly by: string;
	readonly setup: readonly string[];
	readonly verify: readonly string[];
	readonly network: readonly string[];
	readonly preview?: string;
};

/** In the place of a credential, wherever one may stand. */
const token = 't0ken-t0ken';

const manifest = (more: Record<string, unknown> = {}) =>
	JSON.stringify({name: 'x', devDependencies: {mocha: '^10.0.0'}, scripts: {test: 'mocha'}, ...more});

const layouts: Readonly<Record<string, Layout>> = {
	npm: {
		kind: 'npm',
		files: {
			'package.json': manifest({
				scripts: {
					test: 'npm run lint && mocha',
					lint: 'eslint .',
					build: 'tsc',
					typecheck: 'tsc --noEmit --watch',
					dev: 'vite',
				},
			}),
			'package-lock.json': `{"packages":{"node_modules/a":{"resolved":"https://u:${token}@npm.example.com:8443/a.tgz"},
				"node_modules/b":{"resolved":"https://${publicRegistries[0]}/b.tgz"},
				"node_modules/c":{"resolved":"git+ssh://git@github.com/c/c.git#abc"}}}`,
			'.npmrc': `@own:registry=https://own.example.com/npm/\n//own.example.com/npm/:_authToken=${token}\n`,
			'.gitignore': 'node_modules\n',
		},
		by: 'package-lock.json',
		setup: ['npm ci'],
		verify: ['npm run build', 'npm test'],
		network: ['registry.npmjs.org', 'own.example.com', 'npm.example.com:8443', 'codeload.github.com'],
		preview: 'npm run dev',
	},
	'npm without a lock file': {
		kind: 'npm',
		files: {'package.json': manifest(), '.npmrc': 'registry=http://localhost:4873/\n'},
		by: 'package.json',
		setup: ['npm install --no-package-lock'],
		verify: ['npm test'],
		network: ['registry.npmjs.org'],
	},
	'npm without packages': {
		kind: 'npm',
		files: {'package.json': '{"scripts":{"test":"node --test","pretest":"npm run build","build":"x"}}'},
		by: 'package.json',
		setup: [],
		verify: ['npm test'],
		network: [],
	},
	pnpm: {
		kind: 'pnpm',
		files: {
			'package.json': manifest({packageManager: 'pnpm@9.1.0+sha512.abc'}),
			'pnpm-lock.yaml':
				'lockfileVersion: "9.0"\npackages:\n  a:\n    resolution: {tarball: https://a.example.com/a.tgz}\n',
		},
		by: 'pnpm-lock.yaml',
		setup: ['pnpm install --frozen-lockfile'],
		verify: ['pnpm test'],
		network: ['registry.npmjs.org', 'a.example.com'],
	},
	'pnpm that is fetched': {
		kind: 'pnpm',
		files: {'package.json': manifest({packageManager: 'pnpm@9.1.0+sha512.abc'}), 'pnpm-lock.yaml': ''},
		programs: ['npm', 'npx', 'node'],
		by: 'pnpm-lock.yaml',
		setup: [
			'npm install --no-audit --no-fund --prefix "$HOME/.tools" pnpm@9.1.0',
			'PATH="$HOME/.tools/node_modules/.bin:$PATH" pnpm install --frozen-lockfile',
		],
		verify: ['PATH="$HOME/.tools/node_modules/.bin:$PATH" pnpm test'],
		network: ['registry.npmjs.org'],
	},
	'yarn 1': {
		kind: 'yarn',
		files: {
			'package.json': manifest(),
			'yarn.lock': '# yarn lockfile v1\n\na@1:\n  version "1.0.0"\n',
		},
		programs: ['yarn', 'npx'],
		by: 'yarn.lock',
		setup: ['yarn install --frozen-lockfile'],
		verify: ['yarn test'],
		network: ['registry.yarnpkg.com', 'registry.npmjs.org'],
	},
	'yarn 4': {
		kind: 'yarn',
		files: {
			'package.json': manifest({packageManager: 'yarn@4.5.0'}),
			'yarn.lock': '__metadata:\n  version: 8\n',
			'.yarnrc.yml': `npmRegistryServer: "https://yarn.example.com"\nnpmAuthToken: ${token}\n`,
		},
		by: 'yarn.lock',
		setup: [
			'npm install --no-audit --no-fund --prefix "$HOME/.tools" @yarnpkg/cli-dist@4.5.0',
			'PATH="$HOME/.tools/node_modules/.bin:$PATH" yarn install --immutable',
		],
		verify: ['PATH="$HOME/.tools/node_modules/.bin:$PATH" yarn test'],
		network: ['yarn.example.com'],
	},
	'yarn 4 with node_modules': {
		kind: 'yarn',
		files: {
			'package.json': manifest({packageManager: 'yarn@4.5.0'}),
			'yarn.lock': '__metadata:\n  version: 8\n',
			'.yarnrc.yml': 'nodeLinker: node-modules\nyarnPath: .yarn/releases/yarn-4.5.0.cjs\n',
			'.yarn/releases/yarn-4.5.0.cjs': '',
		},
		by: 'yarn.lock',
		setup: ['node .yarn/releases/yarn-4.5.0.cjs install --immutable'],
		verify: ['node .yarn/releases/yarn-4.5.0.cjs test'],
		network: ['registry.yarnpkg.com', 'registry.npmjs.org'],
	},
	'yarn that the project keeps': {
		kind: 'yarn',
		files: {
			'package.json': manifest(),
			'yarn.lock': '__metadata:\n  version: 8\n',
			'.yarnrc.yml': 'yarnPath: .yarn/releases/yarn-4.5.0.cjs\n',
			'.yarn/releases/yarn-4.5.0.cjs': '',
		},
		by: 'yarn.lock',
		setup: ['node .yarn/releases/yarn-4.5.0.cjs install --immutable'],
		verify: ['node .yarn/releases/yarn-4.5.0.cjs test'],
		network: ['registry.yarnpkg.com', 'registry.npmjs.org'],
	},
	bun: {
		kind: 'bun',
		files: {'package.json': '{"dependencies":{"a":"1"}}', 'bun.lock': '{}', 'src/a.test.ts': ''},
		by: 'bun.lock',
		setup: ['bun install --frozen-lockfile'],
		verify: ['bun test'],
		network: ['registry.npmjs.org'],
	},
	pip: {
		kind: 'pip',
		files: {
			'pyproject.toml':
				'[build-system]\nrequires = ["setuptools"]\n[project]\nname = "x"\n[project.optional-dependencies]\n' +
				'docs = ["sphinx"]\ntest = [\n  "pytest>=7", # [all]\n  "x[y]",\n]\n',
			'requirements.txt': `--extra-index-url https://u:${token}@pip.example.com/simple\na==1\n`,
			'tests/test_x.py': '',
			'.gitignore': '.venv/\n',
		},
		by: 'pyproject.toml',
		setup: ['python3 -m venv .venv', ".venv/bin/python -m pip install -r requirements.txt -e '.[test]'"],
		verify: ['.venv/bin/python -m pytest'],
		network: ['pypi.org', 'files.pythonhosted.org', 'pip.example.com'],
	},
	'pip with groups': {
		kind: 'pip',
		files: {
			'pyproject.toml':
				'[project]\nname = "x"\n[dependency-groups]\ndev = ["ruff"]\n[tool.ruff]\n[tool.pytest.ini_options]\n',
		},
		by: 'pyproject.toml',
		setup: [
			"python3 -m venv .venv && echo '*' > .venv/.gitignore",
			'.venv/bin/python -m pip install --upgrade pip',
			'.venv/bin/python -m pip install -e . --group dev pytest',
		],
		verify: ['.venv/bin/python -m ruff check .', '.venv/bin/python -m pytest'],
		network: ['pypi.org', 'files.pythonhosted.org'],
	},
	'pip with unittest': {
		kind: 'pip',
		files: {
			'setup.py': 'setup(name="x")',
			'requirements/base.txt': 'a',
			'requirements/test.in': 'b',
			'requirements/dev.txt': 'sphinx\nx==1\n',
			'tests/test_a.py': '',
			'manage.py': '',
		},
		by: 'setup.py',
		setup: [
			"python3 -m venv .venv && echo '*' > .venv/.gitignore",
			'.venv/bin/python -m pip install -r requirements/base.txt -r requirements/test.in -e .',
		],
		verify: ['.venv/bin/python -m unittest discover -s tests'],
		network: ['pypi.org', 'files.pythonhosted.org'],
		preview: '.venv/bin/python manage.py runserver',
	},
	uv: {
		kind: 'uv',
		files: {
			'pyproject.toml': '[project]\nname = "x"\n[dependency-groups]\ndev = ["pytest"]\n',
			'uv.lock': `source = { registry = "https://u:${token}@uv.example.com/simple" }\n`,
		},
		by: 'uv.lock',
		setup: ['uv sync --frozen'],
		verify: ['uv run --no-sync pytest'],
		network: ['pypi.org', 'files.pythonhosted.org', 'uv.example.com'],
	},
	'uv that is fetched': {
		kind: 'uv',
		files: {
			'pyproject.toml': '[project]\nname = "x"\n[tool.uv]\nrequired-version = ">=0.9.2"\n',
			'uv.lock': '',
			'pytest.ini': '',
		},
		programs: ['python3'],
		by: 'uv.lock',
		setup: [
			`python3 -m venv "$HOME/.tools/uv" && "$HOME/.tools/uv"/bin/python -m pip install --quiet 'uv>=0.9.2'`,
			'"$HOME/.tools/uv"/bin/uv sync --frozen',
			'"$HOME/.tools/uv"/bin/uv pip install pytest',
		],
		verify: ['"$HOME/.tools/uv"/bin/uv run --no-sync pytest'],
		network: ['pypi.org', 'files.pythonhosted.org'],
	},
	'poetry that is fetched': {
		kind: 'poetry',
		files: {
			'pyproject.toml': '[tool.poetry]\nname = "x"\n',
			'poetry.lock': '',
			'pytest.ini': '',
			'.gitignore': '.venv\n',
		},
		programs: ['python3'],
		by: 'poetry.lock',
		setup: [
			'python3 -m venv "$HOME/.tools/poetry" && "$HOME/.tools/poetry"/bin/python -m pip install --quiet poetry',
			'POETRY_VIRTUALENVS_IN_PROJECT=true "$HOME/.tools/poetry"/bin/poetry install --no-interaction',
			'"$HOME/.tools/poetry"/bin/poetry run python -m pip install pytest',
		],
		verify: ['.venv/bin/python -m pytest'],
		network: ['pypi.org', 'files.pythonhosted.org'],
	},
	poetry: {
		kind: 'poetry',
		files: {
			'pyproject.toml':
				'[tool.poetry]\nname = "x"\n[tool.poetry.group.dev.dependencies]\npytest = "^8"\n' +
				'[[tool.poetry.source]]\nname = "own"\nurl = "https://poetry.example.com/simple"\n',
			'poetry.lock': '',
		},
		by: 'poetry.lock',
		setup: ["POETRY_VIRTUALENVS_IN_PROJECT=true poetry install --no-interaction && echo '*' > .venv/.gitignore"],
		verify: ['.venv/bin/python -m pytest'],
		network: ['pypi.org', 'files.pythonhosted.org', 'poetry.example.com'],
	},
	cargo: {
		kind: 'cargo',
		files: {
			'Cargo.toml': '[workspace]\nmembers = ["a"]\n',
			'Cargo.lock':
				'source = "registry+https://github.com/rust-lang/crates.io-index"\n' +
				`source = "sparse+https://u:${token}@cargo.example.com/index/"\nsource = "git+https://git.example.com/x?rev=1#1"\n`,
			'a/Cargo.toml': '',
			'rustfmt.toml': '',
		},
		by: 'Cargo.lock',
		setup: ['cargo fetch --locked'],
		verify: ['cargo fmt --all --check', 'cargo test --offline --locked --workspace'],
		network: ['index.crates.io', 'static.crates.io', 'cargo.example.com', 'git.example.com'],
	},
	'cargo with its packages in the project': {
		kind: 'cargo',
		files: {'Cargo.toml': '[package]\n', 'Cargo.lock': '', 'vendor/a/Cargo.toml': ''},
		by: 'Cargo.lock',
		setup: [],
		verify: ['cargo test --offline --locked'],
		network: [],
	},
	go: {
		kind: 'go',
		files: {'go.mod': 'module example.com/x\n\ngo 1.22\n\nrequire example.com/y v1.0.0\n', 'go.sum': ''},
		by: 'go.mod',
		setup: ['go mod download', "go test -run '^$' ./... > /dev/null 2>&1 || true"],
		verify: ['go vet ./...', 'go test ./...'],
		network: ['proxy.golang.org', 'sum.golang.org'],
	},
	'go without packages': {
		kind: 'go',
		files: {'go.mod': 'module example.com/x\n\ngo 1.22\n'},
		by: 'go.mod',
		setup: ["go test -run '^$' ./... > /dev/null 2>&1 || true"],
		verify: ['go vet ./...', 'go test ./...'],
		network: [],
	},
	'go beside a page': {
		kind: 'go',
		files: {'go.mod': 'module example.com/x\n\ngo 1.22\n', 'web/package.json': '{}'},
		by: 'go.mod',
		setup: [
			"go test -run '^$' ./... > /dev/null 2>&1 || " +
				"go list -e -deps -test -f '{{if and .DepOnly (not .ForTest)}}{{.ImportPath}}{{end}}' ./... 2> /dev/null | " +
				'xargs -r go build > /dev/null 2>&1 || true',
		],
		verify: ['go vet ./...', 'go test ./...'],
		network: [],
	},
	'go workspace': {
		kind: 'go',
		files: {'go.work': 'go 1.22\n\nuse (\n\t./a\n\t./b\n)\n', 'a/go.mod': '', 'b/go.mod': ''},
		by: 'go.work',
		setup: ['go mod download', "go test -run '^$' ./a/... ./b/... > /dev/null 2>&1 || true"],
		verify: ['go vet ./a/... ./b/...', 'go test ./a/... ./b/...'],
		network: ['proxy.golang.org', 'sum.golang.org'],
	},
	maven: {
		kind: 'maven',
		files: {
			'pom.xml':
				`<project><url>https://site.example.com</url><repositories><repository><url>https://u:${token}@maven.example.com/x</url>` +
				'</repository></repositories></project>',
		},
		by: 'pom.xml',
		setup: ['mvn -B -ntp verify -Dmaven.test.failure.ignore=true'],
		verify: ['mvn -B -ntp -o verify'],
		network: ['repo.maven.apache.org', 'maven.example.com'],
	},
	'maven by its wrapper': {
		kind: 'maven',
		files: {
			'pom.xml': '<project/>',
			mvnw: '',
			'.mvn/wrapper/maven-wrapper.properties': 'distributionUrl=https://repo.maven.apache.org/maven2/x.zip\n',
		},
		by: 'pom.xml',
		setup: ['sh ./mvnw -B -ntp verify -Dmaven.test.failure.ignore=true'],
		verify: ['sh ./mvnw -B -ntp -o verify'],
		network: ['repo.maven.apache.org'],
	},
	gradle: {
		kind: 'gradle',
		files: {
			'settings.gradle.kts': '',
			'build.gradle.kts': `repositories { google()\n maven { url = uri("https://u:${token}@gradle.example.com/x") } }`,
		},
		by: 'settings.gradle.kts',
		setup: ['gradle --no-daemon --continue test || gradle --no-daemon testClasses'],
		verify: ['gradle --no-daemon --offline test'],
		network: [
			'repo.maven.apache.org',
			'plugins.gradle.org',
			'plugins-artifacts.gradle.org',
			'dl.google.com',
			'gradle.example.com',
		],
	},
	'gradle by its wrapper': {
		kind: 'gradle',
		files: {
			'build.gradle': '',
			gradlew: '',
			'gradle/wrapper/gradle-wrapper.jar': '',
			'gradle/wrapper/gradle-wrapper.properties': String.raw`distributionUrl=https\://gradle.mirror.example.com/gradle.zip`,
		},
		by: 'build.gradle',
		setup: ['sh ./gradlew --no-daemon --continue test || sh ./gradlew --no-daemon testClasses'],
		verify: ['sh ./gradlew --no-daemon --offline test'],
		network: [
			'repo.maven.apache.org',
			'plugins.gradle.org',
			'plugins-artifacts.gradle.org',
			'services.gradle.org',
			'downloads.gradle.org',
			'github.com',
			'release-assets.githubusercontent.com',
			'gradle.mirror.example.com',
		],
	},
	cmake: {
		kind: 'cmake',
		files: {
			'CMakeLists.txt': 'cmake_minimum_required(VERSION 3.10)\nproject(x C)\nenable_testing()\n',
			'build/keep': '',
		},
		by: 'CMakeLists.txt',
		setup: [],
		verify: [
			'cmake -S . -B out/build',
			'cmake --build out/build --parallel',
			'ctest --test-dir out/build --output-on-failure --no-tests=error',
		],
		network: [],
	},
	'cmake that fetches': {
		kind: 'cmake',
		files: {
			'CMakeLists.txt': 'project(x C)\ninclude(cmake/deps.cmake)\nadd_test(NAME x COMMAND x)\n',
			'cmake/deps.cmake':
				`FetchContent_Declare(a URL https://u:${token}@cmake.example.com/a.tar.gz)\nFetchContent_MakeAvailable(a)\n` +
				'# FetchContent_Declare(b GIT_REPOSITORY "https://github.com/b/b")\n',
		},
		by: 'CMakeLists.txt',
		setup: ['cmake -S . -B /tmp/build -DFETCHCONTENT_BASE_DIR="$HOME/.cache/fetchcontent"'],
		verify: [
			'cmake -S . -B build -DFETCHCONTENT_BASE_DIR="$HOME/.cache/fetchcontent" -DFETCHCONTENT_FULLY_DISCONNECTED=ON',
			'cmake --build build --parallel',
			'ctest --test-dir build --output-on-failure --no-tests=error',
		],
		network: ['cmake.example.com'],
	},
	'cmake with a project of its own': {
		kind: 'cmake',
		files: {
			'CMakeLists.txt':
				'project(x C)\nenable_testing()\nExternalProject_Add(a URL ${CMAKE_CURRENT_SOURCE_DIR}/a.tar.gz)\n',
		},
		by: 'CMakeLists.txt',
		setup: [],
		verify: [
			'cmake -S . -B build',
			'cmake --build build --parallel',
			'ctest --test-dir build --output-on-failure --no-tests=error',
		],
		network: [],
	},
	make: {
		kind: 'make',
		files: {Makefile: 'CFLAGS := -O2\ntest_all := x\n\nall: x\n\ncheck: all\n\t./x\n\nserve:\n\t./serve\n'},
		by: 'Makefile',
		setup: [],
		verify: ['make check'],
		network: [],
		preview: 'make serve',
	},
	'make after configure': {
		kind: 'make',
		files: {'configure.ac': '', 'Makefile.am': ''},
		by: 'configure.ac',
		setup: [],
		verify: ['autoreconf -i && sh configure && make check'],
		network: [],
	},
};

function folderOf(files: Readonly<Record<string, string>>, programs?: readonly string[]): ProjectFolder {
	return {
		paths: Object.keys(files),
		text: name => (Object.hasOwn(files, name) ? files[name] : undefined),
		has: program => programs?.includes(program) ?? true,
	};
}

/** What files hold that no manifest should: nothing kinds may throw at. */
const strange = [
	'',
	'{',
	'[[',
	'{"scripts":[],"dependencies":7}',
	'\0\u{FFFF}',
	'null',
	'<a',
	`${'[a]\nb = ["'.repeat(2000)}`,
	'= =\n[x\n"',
];

function throwing(kind: ProjectKind, layout: Layout): string[] {
	return strange.flatMap(text => {
		try {
			kind.detect(folderOf(Object.fromEntries(Object.keys(layout.files).map(name => [name, text]))));
			return [];
		} catch (error) {
			return [`it throws at ${JSON.stringify(text.slice(0, 20))}: ${(error as Error).message}`];
		}
	});
}

const fetching = /\b(?:install|add|fetch|download|sync|ci|update|clone)\b/;

/** How what is proposed breaks the promises, whatever the layout is. */
function faults(proposed: Proposed, layout: Layout): string[] {
	const {setup, verify, network, inputs} = proposed;
	const policy = parsePolicy(JSON.stringify({setup, verify, network}));
	return [
		...(policy instanceof Refusal ? [`no policy: ${policy.because}`] : []),
		...(JSON.stringify(proposed).includes(token) ? ['it repeats a credential'] : []),
		...verify.filter(command => fetching.test(command.replace('--no-sync', ''))).map(command => `${command} fetches`),
		...[proposed.by, ...inputs].filter(name => !Object.hasOwn(layout.files, name)).map(name => `${name} is not there`),
		...network
			.filter(host => !publicRegistries.includes(host) && !JSON.stringify(layout.files).includes(host))
			.map(host => `${host} is named by no file, and is no registry that is known`),
		...(setup.length === 0 && network.length > 0 ? ['hosts for nothing'] : []),
		...(setup.some(command => fetching.test(command)) && network.length === 0 ? ['it fetches from nowhere'] : []),
		...([...setup, ...verify].some(command => /\bsudo\b|--global\b|\bcurl\b/.test(command))
			? ['it changes the machine']
			: []),
	];
}

const without = (files: Readonly<Record<string, string>>, names: readonly string[]) =>
	Object.fromEntries(Object.entries(files).filter(([name]) => !names.includes(name)));

/** How a kind breaks its promise for a layout; empty where it keeps it. */
function breaches(kind: ProjectKind, layout: Layout): string[] {
	const asked = new Set<string>();
	const plain = folderOf(layout.files, layout.programs);
	const folder: ProjectFolder = {
		...plain,
		text(name) {
			asked.add(name);
			return plain.text(name);
		},
	};
	const proposed = kind.detect(folder);
	if (proposed === undefined) {
		return ['it does not know its own folder'];
	}

	const {by, setup, verify, network, preview} = proposed;
	const other = kind.detect({...plain, paths: [...plain.paths].reverse()});
	const isRead = (name: string) => kind.reads.some(one => (one.endsWith('/') ? name.startsWith(one) : one === name));
	return [
		...(JSON.stringify([by, setup, verify, network, preview]) ===
		JSON.stringify([layout.by, layout.setup, layout.verify, layout.network, layout.preview])
			? []
			: [`it proposes ${JSON.stringify({by, setup, verify, network, preview}, undefined, 1)}`]),
		...(JSON.stringify([other?.setup, other?.verify]) === JSON.stringify([setup, verify])
			? []
			: ['the order of files decides']),
		...[...asked].filter(name => !isRead(name)).map(name => `it reads ${name}, and does not say so`),
		...(kind.detect(folderOf({'a.txt': '', 'src/package.json': '{}'})) === undefined ? [] : ['it claims any folder']),
		...(kind.detect(folderOf(without(layout.files, kind.manifests))) === undefined
			? []
			: ['it knows its folder without any of its manifests']),
		...throwing(kind, layout),
		...faults(proposed, layout),
	];
}

for (const [name, layout] of Object.entries(layouts)) {
	test(`${name}: ${layout.kind} keeps the contract`, () => {
		const kind = kinds.find(one => one.id === layout.kind)!;
		assert.deepEqual(breaches(kind, layout), []);
		const folder = folderOf(layout.files, layout.programs);
		assert.deepEqual(
			kinds.filter(one => one.detect(folder) !== undefined).map(({id}) => id),
			[kind.id],
			'nobody else claims it',
		);
	});
}

test('what CMake downloads while it builds is told of', () => {
	const notes = (source: string) =>
		kinds
			.find(({id}) => id === 'cmake')!
			.detect(folderOf({'CMakeLists.txt': `project(x C)\nenable_testing()\nExternalProject_Add(a ${source})\n`}))!
			.notes;
	assert.match(notes('URL https://cmake.example.com/a.tgz').join('\n'), /downloads while it builds/);
	assert.deepEqual(notes('URL ${CMAKE_CURRENT_SOURCE_DIR}/a.tar.gz'), []);
});

test('every kind has a layout', () => {
	const tried = new Set(Object.values(layouts).map(({kind}) => kind));
	assert.deepEqual(
		kinds.map(({id}) => id).filter(id => !tried.has(id)),
		[],
	);
});

test('the suite notices careless kinds', () => {
	const layout = layouts['npm']!;
	const kind = kinds.find(one => one.id === 'npm')!;
	const change = (by: (proposed: Proposed, folder: ProjectFolder) => Proposed | undefined): ProjectKind => ({
		...kind,
		detect(folder) {
			const proposed = kind.detect(folder);
			return proposed && by(proposed, folder);
		},
	});
	for (const careless of [
		change(() => undefined),
		change(proposed => ({...proposed, setup: ['npm install']})),
		change(proposed => ({...proposed, verify: [...proposed.verify, 'npm install x']})),
		change(proposed => ({...proposed, network: [`https://u:${token}@x.example.com`]})),
		change(proposed => ({...proposed, notes: [token]})),
		change(proposed => ({...proposed, network: [...proposed.network, 'own.fleet.example']})),
		change(proposed => ({...proposed, inputs: ['gone']})),
		change((proposed, folder) => ({...proposed, setup: folder.paths[0] === 'package.json' ? proposed.setup : []})),
		{...kind, reads: ['package.json']},
		{...kind, manifests: ['package-lock.json']},
		{
			...kind,
			detect(folder: ProjectFolder) {
				if (folder.text('package.json') === '{') {
					throw new Error('no JSON');
				}

				return kind.detect(folder);
			},
		},
		{...kind, detect: (folder: ProjectFolder) => kind.detect(folder) ?? kind.detect(folderOf(layout.files))},
	]) {
		assert.notDeepEqual(breaches(careless, layout), []);
	}
});
