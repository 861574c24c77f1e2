import {must, write, type RealProject} from '../project.ts';

export const yarnClassic: RealProject = {
	name: 'yarn-classic',
	kind: 'Yarn 1, mocha, a server on the loopback',
	from: 'npm express@5, supertest@7, mocha@11',
	needs: ['node', 'npm', 'yarn'],
	lay(place) {
		write(place, {
			'package.json': {
				name: 'greeter',
				version: '1.0.0',
				license: 'MIT',
				private: true,
				scripts: {test: 'mocha'},
				dependencies: {express: '5.1.0'},
				devDependencies: {mocha: '11.7.4', supertest: '7.1.4'},
			},
			'.gitignore': 'node_modules\n',
			'app.js':
				"const app = require('express')();\napp.get('/', (_, response) => response.json({hello: 'you'}));\nmodule.exports = app;\n",
			'test/app.test.js':
				"const request = require('supertest');\nit('greets', () => request(require('../app.js')).get('/').expect(200, {hello: 'you'}));\n",
		});
		must(place, 'yarn', 'install', '--ignore-scripts', '--no-progress', '--silent');
		must(place, 'rm', '-rf', 'node_modules');
	},
	tests: 'yarn test',
	edits: 'app.js',
	line: '// A remark by an agent.',
};
