import {must, write, type RealProject} from '../project.ts';

export const npmWorkspaces: RealProject = {
	name: 'npm-workspaces',
	kind: 'npm, monorepo, jest, esbuild',
	from: 'npm jest@30, esbuild@0.25, lodash@4',
	needs: ['node', 'npm'],
	lay(place) {
		write(place, {
			'package.json': {
				name: 'site',
				private: true,
				workspaces: ['packages/*', 'app'],
				scripts: {test: 'jest', build: 'npm run build --workspace app'},
				devDependencies: {jest: '30.2.0', esbuild: '0.25.12'},
			},
			'.gitignore': 'node_modules\nout\n',
			'packages/words/package.json': {
				name: '@site/words',
				version: '1.0.0',
				main: 'index.js',
				dependencies: {lodash: '4.17.21'},
			},
			'packages/words/index.js': "exports.title = text => require('lodash').startCase(text);\n",
			'packages/words/index.test.js':
				"test('title', () => expect(require('./index.js').title('a real one')).toBe('A Real One'));\n",
			'app/package.json': {
				name: '@site/app',
				version: '1.0.0',
				scripts: {build: 'esbuild main.js --bundle --platform=node --outfile=out/main.js'},
				dependencies: {'@site/words': '1.0.0'},
			},
			'app/main.js': "console.log(require('@site/words').title('from the app'));\n",
			'app/main.test.js':
				"test('the bundle runs', () => expect(require('node:child_process').execFileSync('node', [__dirname + '/out/main.js'], {encoding: 'utf8'})).toBe('From The App\\n'));\n",
		});
		must(place, 'npm', 'install', '--package-lock-only', '--ignore-scripts', '--loglevel=error');
	},
	tests: 'npm run build && npm test',
	edits: 'packages/words/index.js',
	line: '// A remark by an agent.',
};
