import {must, write, type RealProject} from '../project.ts';

export const sqlite: RealProject = {
	name: 'sqlite',
	kind: 'npm, native addon, database in a file',
	from: 'npm better-sqlite3@12, mocha@11',
	needs: ['node', 'npm', 'make', 'cc', 'python3'],
	lay(place) {
		write(place, {
			'package.json': {
				name: 'notes',
				version: '1.0.0',
				private: true,
				scripts: {test: 'mocha'},
				dependencies: {'better-sqlite3': '12.4.1'},
				devDependencies: {mocha: '11.7.4'},
			},
			'.gitignore': 'node_modules\n*.db\n',
			'notes.js': [
				"const Database = require('better-sqlite3');",
				'exports.open = file => {',
				'	const database = new Database(file);',
				"	database.pragma('journal_mode = WAL');",
				"	database.exec('create table if not exists notes (id integer primary key, words text not null)');",
				'	return {',
				"		add: words => database.prepare('insert into notes (words) values (?)').run(words).lastInsertRowid,",
				"		all: () => database.prepare('select words from notes order by id').pluck().all(),",
				'		close: () => database.close(),',
				'	};',
				'};',
				'',
			].join('\n'),
			'test/notes.test.js': [
				"const assert = require('node:assert/strict');",
				"const fs = require('node:fs');",
				"const {open} = require('../notes.js');",
				"describe('notes', () => {",
				"	it('keeps what was written', () => {",
				"		fs.rmSync('test.db', {force: true});",
				"		const first = open('test.db');",
				"		first.add('one');",
				"		first.add('two');",
				'		first.close();',
				"		const second = open('test.db');",
				"		assert.deepEqual(second.all(), ['one', 'two']);",
				'		second.close();',
				'	});',
				'});',
				'',
			].join('\n'),
		});
		must(place, 'npm', 'install', '--package-lock-only', '--ignore-scripts', '--loglevel=error');
	},
	// A prebuilt binary, where its host is reachable; else it is compiled with this machine's own headers of Node, or fetched ones.
	policy: [
		'setup:',
		'  - if [ -e /usr/include/node/node.h ]; then export npm_config_nodedir=/usr; fi; npm ci',
		'network: [registry.npmjs.org, github.com, release-assets.githubusercontent.com, nodejs.org]',
		'verify: [npm test]',
		'',
	].join('\n'),
	tests: 'npm test',
	edits: 'notes.js',
	line: '// A remark by an agent.',
};
