import {type LockFormat, type Package, type Source} from './package.ts';
import {gitSource, hostOf, pathSource} from './sources.ts';
import {listOf, parseJson, textOf, valueOf} from './values.ts';

/* `composer.lock`. Of packages, Composer runs those that are plugins of its own; scripts are the project's alone. */

function sourceOf(entry: unknown): Source {
	const [dist, source] = [valueOf(entry, 'dist'), valueOf(entry, 'source')];
	const [archive, repository] = [textOf(dist, 'url'), textOf(source, 'url')];
	if (textOf(dist, 'type') === 'path') {
		return pathSource(archive);
	}

	if (archive === '') {
		return gitSource(repository);
	}

	// A registry's packages are archives of their repositories: what follows a repository's name is the commit.
	const reference = textOf(dist, 'reference');
	const at = reference === '' ? archive : archive.replaceAll(reference, '');
	const isRegistrys = textOf(entry, 'notification-url') !== '';
	return {kind: isRegistrys ? 'registry' : 'url', at: `${at} ${repository}`.trim(), host: hostOf(archive)};
}

export const composer: LockFormat = {
	id: 'composer',
	ecosystem: 'composer',
	name: /^composer\.lock$/,
	hosts: ['api.github.com', 'gitlab.com', 'packagist.org'],
	read(text) {
		const lock = parseJson(text);
		const entries = ['packages', 'packages-dev'].flatMap(key => listOf(valueOf(lock, key), key));
		const packages = entries.map((entry): Package => {
			const [dist, source] = [valueOf(entry, 'dist'), valueOf(entry, 'source')];
			const sums = [textOf(dist, 'shasum'), textOf(dist, 'reference'), textOf(source, 'reference')];
			return {
				name: textOf(entry, 'name'),
				version: textOf(entry, 'version'),
				source: sourceOf(entry),
				script: textOf(entry, 'type') === 'composer-plugin' ? 'yes' : 'no',
				integrity: [...new Set(sums.filter(sum => sum !== ''))],
			};
		});
		return {packages, hosts: []};
	},
};
