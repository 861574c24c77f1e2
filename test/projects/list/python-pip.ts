import {fromPypi, write, type RealProject} from '../project.ts';

export const itsdangerous: RealProject = {
	name: 'itsdangerous',
	kind: 'PyPI, pip, pytest',
	from: 'PyPI itsdangerous==2.2.0',
	needs: ['python3'],
	lay(place) {
		fromPypi(place, 'itsdangerous==2.2.0');
		write(place, {'.gitignore': '.venv\n__pycache__\n.pytest_cache\n*.egg-info\n'});
	},
	tests: '.venv/bin/pytest -q',
	edits: 'src/itsdangerous/signer.py',
	line: '# A remark by an agent.',
};

export const markupsafe: RealProject = {
	name: 'markupsafe',
	kind: 'PyPI, pip, extension in C',
	from: 'PyPI markupsafe==3.0.2',
	needs: ['python3', 'cc'],
	lay(place) {
		fromPypi(place, 'markupsafe==3.0.2');
		write(place, {'.gitignore': '.venv\n__pycache__\n.pytest_cache\n*.egg-info\nbuild\n*.so\n'});
	},
	tests: '.venv/bin/pytest -q && .venv/bin/python -c "import markupsafe._speedups"',
	edits: 'src/markupsafe/__init__.py',
	line: '# A remark by an agent.',
};
