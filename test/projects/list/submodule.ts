import {mkdirSync, renameSync} from 'node:fs';
import path from 'node:path';
import {fromPypi, must, write, type RealProject} from '../project.ts';

export const submodule: RealProject = {
	name: 'submodule',
	kind: 'git submodule, make, Python',
	from: 'PyPI markupsafe==3.0.2 as a submodule',
	needs: ['python3', 'make'],
	lay(place) {
		// The library is a repository of its own, outside of this one.
		const library = {...place, folder: `${place.folder}-library`};
		mkdirSync(library.folder);
		fromPypi(library, 'markupsafe==3.0.2');
		const git = (at: typeof place, ...argv: string[]) =>
			must(
				at,
				'git',
				'-c',
				'user.name=Library',
				'-c',
				'user.email=library@example.invalid',
				'-c',
				'protocol.file.allow=always',
				...argv,
			);
		git(library, 'init', '--quiet', '--initial-branch=main');
		git(library, 'add', '--all');
		git(library, 'commit', '--quiet', '--message=library');
		git(place, 'init', '--quiet', '--initial-branch=main');
		git(place, 'submodule', '--quiet', 'add', library.folder, 'vendor/markupsafe');
		renameSync(library.folder, path.join(path.dirname(place.folder), 'gone'));
		write(place, {
			Makefile: 'test:\n\tPYTHONPATH=vendor/markupsafe/src python3 -m unittest -v test_page\n\n.PHONY: test\n',
			'.gitignore': '__pycache__\n',
			'page.py': 'from markupsafe import escape\n\n\ndef heading(text):\n    return f"<h1>{escape(text)}</h1>"\n',
			'test_page.py':
				"import unittest\n\nfrom page import heading\n\n\nclass Heading(unittest.TestCase):\n    def test_is_escaped(self):\n        self.assertEqual(heading('<b>'), '<h1>&lt;b&gt;</h1>')\n",
		});
	},
	tests: 'make test',
	edits: 'page.py',
	line: '# A remark by an agent.',
};
