import fs from 'node:fs';
import path from 'node:path';
import {report, request, tries, wordsOf} from './attempts.ts';

/* Files of this machine, and the project's own repository. */

export function repo(): void {
	for (const file of request.files) {
		tries(`repo.read.${file.id}`, () => `read ${fs.readFileSync(file.path, 'utf8').length} bytes`);
	}

	const link = path.join(request.worktree, `link-${request.mark}`);
	tries('repo.link', () => {
		fs.symlinkSync(request.files[0]!.path, link);
		return fs.readFileSync(link, 'utf8');
	});
	for (const folder of ['/usr/local', '/etc', '/']) {
		tries(`repo.write.${folder}`, () => {
			fs.writeFileSync(path.join(folder, request.mark), 'x');
			return 'written';
		});
	}

	// The private folder is the run's to write; what counts is that the real one does not change, which the host sees.
	try {
		fs.writeFileSync(path.join(request.commonDir, 'hooks', `post-checkout-${request.mark}`), '#!/bin/sh\n', {
			mode: 0o755,
		});
		fs.appendFileSync(path.join(request.commonDir, 'config'), `[fleetprobe]\n\tmark = ${request.mark}\n`);
		report({id: 'repo.hook', blocked: true, seen: "written into the run's private git folder only"});
	} catch (error) {
		report({id: 'repo.hook', blocked: true, seen: wordsOf(error)});
	}
}
