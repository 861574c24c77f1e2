import {fromCrates, must, write, type RealProject} from '../project.ts';

export const itoa: RealProject = {
	name: 'itoa',
	kind: 'crates, cargo',
	from: 'crates itoa 1.0.15',
	needs: ['cargo', 'cc'],
	lay(place) {
		fromCrates(place, {name: 'itoa', version: '1.0.15'});
		write(place, {'.gitignore': 'target\n'});
		must(place, 'cargo', 'generate-lockfile');
	},
	tests: 'cargo test --locked --offline',
	edits: 'src/lib.rs',
	line: '// A remark by an agent.',
};

export const indexmap: RealProject = {
	name: 'indexmap',
	kind: 'crates, cargo, dependencies',
	from: 'crates indexmap 2.11.4',
	needs: ['cargo', 'cc'],
	lay(place) {
		fromCrates(place, {name: 'indexmap', version: '2.11.4'});
		write(place, {'.gitignore': 'target\n'});
		must(place, 'cargo', 'generate-lockfile');
	},
	tests: 'cargo test --locked --offline',
	edits: 'src/lib.rs',
	line: '// A remark by an agent.',
};
