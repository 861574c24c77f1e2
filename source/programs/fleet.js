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

// Before any other module: see there.
import('./inherited.js')
	.then(function (inherited) {
		inherited.closeInherited();
		return import('node:module');
	})
	.then(function (module) {
		if (module.enableCompileCache) {
			module.enableCompileCache();
		}

		// The screen is built by itself: people wait for its first frame.
		return process.argv.length > 2 ? import('./main.js') : import('./screen.js');
	})
	.catch(function (error) {
		process.stderr.write('fleet: ' + ((error && error.stack) || error) + '\n');
		process.exit(1);
	});
