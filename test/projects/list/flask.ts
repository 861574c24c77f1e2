import {fromPypi, write, type RealProject} from '../project.ts';

export const flask: RealProject = {
	name: 'flask',
	kind: 'PyPI, uv, pytest',
	from: 'PyPI flask==3.1.2',
	needs: ['python3', 'uv'],
	lay(place) {
		fromPypi(place, 'flask==3.1.2');
		write(place, {'.gitignore': '.venv\n__pycache__\n.pytest_cache\n'});
	},
	tests: 'uv run --frozen --offline --no-sync pytest -q',
	edits: 'src/flask/globals.py',
	line: '# A remark by an agent.',
};
