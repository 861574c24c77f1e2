import {fromNpm, must, write, type RealProject} from '../project.ts';

export const fastifyPlugin: RealProject = {
	name: 'fastify-plugin',
	kind: 'npm, node:test and types',
	from: 'npm fastify-plugin@5.0.1',
	needs: ['node', 'npm'],
	lay(place) {
		fromNpm(place, 'fastify-plugin@5.0.1');
		write(place, {'.gitignore': 'node_modules\ncoverage\n'});
		must(place, 'npm', 'install', '--package-lock-only', '--ignore-scripts', '--loglevel=error');
	},
	tests: 'npm run test:unit',
	edits: 'plugin.js',
	line: '// A remark by an agent.',
};
