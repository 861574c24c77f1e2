import {cpSync, mkdtempSync, rmSync} from 'node:fs';
import path from 'node:path';
import {must, write, type RealProject} from '../project.ts';

export const yarnBerry: RealProject = {
	name: 'yarn-berry',
	kind: "Yarn 4, Plug'n'Play, global cache",
	from: 'npm @yarnpkg/cli-dist@4.10.3, tape@5, semver@7',
	needs: ['node', 'npm'],
	lay(place) {
		// Its owner has committed the program, as Yarn's own documentation has it.
		const there = mkdtempSync(`${place.folder}-yarn-`);
		must(
			{...place, folder: there},
			'npm',
			'install',
			'--loglevel=error',
			'--prefix',
			there,
			'@yarnpkg/cli-dist@4.10.3',
		);
		cpSync(
			path.join(there, 'node_modules/@yarnpkg/cli-dist/bin/yarn.js'),
			path.join(place.folder, '.yarn/releases/yarn-4.10.3.cjs'),
		);
		rmSync(there, {recursive: true});
		write(place, {
			'package.json': {
				name: 'ranges',
				packageManager: 'yarn@4.10.3',
				scripts: {test: "tape 'test/*.js'"},
				dependencies: {semver: '7.7.3'},
				devDependencies: {tape: '5.9.0'},
			},
			'.yarnrc.yml': 'yarnPath: .yarn/releases/yarn-4.10.3.cjs\nenableTelemetry: false\n',
			'.gitignore': '.pnp.*\n.yarn/*\n!.yarn/releases\nnode_modules\n',
			'index.js': "exports.newest = all => require('semver').rsort([...all])[0];\n",
			'test/index.js':
				"require('tape')('newest', t => {\n\tt.equal(require('../index.js').newest(['1.2.3', '1.10.0']), '1.10.0');\n\tt.end();\n});\n",
		});
		must(place, 'node', '.yarn/releases/yarn-4.10.3.cjs', 'install', '--mode=update-lockfile');
	},
	tests: 'node .yarn/releases/yarn-4.10.3.cjs test',
	edits: 'index.js',
	line: '// A remark by an agent.',
};
