import {fromCrates, write, type RealProject} from '../project.ts';

/* Crates that carry a library in C with its own build and tests. */

export const bzip2: RealProject = {
	name: 'bzip2',
	kind: 'make',
	from: 'crates bzip2-sys 0.1.13+1.0.8, its bzip2-1.0.8',
	needs: ['make', 'cc'],
	lay(place) {
		fromCrates(place, {name: 'bzip2-sys', version: '0.1.13+1.0.8', inner: 'bzip2-1.0.8'});
		write(place, {'.gitignore': '*.o\n*.a\nbzip2\nbzip2recover\nsample1.rb2\nsample2.rb2\nsample3.rb2\nsample?.tst\n'});
	},
	tests: 'make && make test',
	edits: 'crctable.c',
	line: '/* A remark by an agent. */',
};

export const oniguruma: RealProject = {
	name: 'oniguruma',
	kind: 'CMake',
	from: 'crates onig_sys 69.9.1, its oniguruma',
	needs: ['cmake', 'make', 'cc'],
	lay(place) {
		fromCrates(place, {name: 'onig_sys', version: '69.9.1', inner: 'oniguruma'});
		write(place, {'.gitignore': 'build\n'});
	},
	tests: 'cmake -S . -B build -DBUILD_TEST=ON && cmake --build build --parallel 2 && build/test/test_utf8 | tail -n 1',
	edits: 'src/regerror.c',
	line: '/* A remark by an agent. */',
};
