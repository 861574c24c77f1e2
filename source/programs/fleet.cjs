#!/usr/bin/env node
// The bin: checks the version in syntax that any Node can parse, then loads the program.
var version = process.versions.node.split('.').map(Number);
if (version[0] < 22 || (version[0] === 22 && version[1] < 22)) {
	process.stderr.write(
		'fleet: Node 22.22 or later is needed, this is ' +
			process.versions.node +
			'\n  hint: install a newer Node, then run fleet again\n',
	);
	process.exit(2);
}

// node:sqlite says on every start that it is experimental.
process.removeAllListeners('warning');

function fail(error) {
	process.stderr.write('fleet: ' + ((error && error.stack) || error) + '\n');
	process.exit(1);
}

try {
	// Before any other module: see there.
	require('./inherited.cjs').closeInherited();
	var module_ = require('node:module');
	if (module_.enableCompileCache) {
		module_.enableCompileCache();
	}

	// The screen is built by itself: people wait for its first frame.
	if (process.argv.length > 2) {
		import('./main.js').catch(fail);
	} else {
		require('./screen.cjs');
	}
} catch (error) {
	fail(error);
}
