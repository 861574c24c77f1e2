import {Unreadable, type LockFormat, type Package, type Source} from './package.ts';
import {gitSource, hostOf, pathSource, registrySource} from './sources.ts';

/* `Gemfile.lock`. It does not say which gems compile something of their own. */

/** Sections that say where gems come from. */
const sections = new Set(['GEM', 'GIT', 'PATH', 'PLUGIN SOURCE']);

function sourceOf(section: string, remote: string): Source {
	if (section === 'GIT') {
		return gitSource(remote);
	}

	return section === 'PATH' ? pathSource(remote) : registrySource(remote);
}

export const bundler: LockFormat = {
	id: 'bundler',
	ecosystem: 'rubygems',
	name: /^(?:Gemfile\.lock|gems\.locked)$/,
	hosts: ['rubygems.org'],
	read(text) {
		const gems: Array<Omit<Package, 'integrity'> & {readonly integrity: string[]}> = [];
		const checksums = new Map<string, string>();
		const others = new Set<string>();
		let [section, remote, revision] = ['', '', ''];
		for (const [index, line] of text.split(/\r?\n/).entries()) {
			if (/^\S/.test(line)) {
				if (/^[<>=|]{7}/.test(line)) {
					throw new Unreadable(`line ${index + 1} is a conflict`);
				}

				[section, remote, revision] = [line.trim(), '', ''];
				continue;
			}

			const field = /^ {2}(remote|revision): (.*)$/.exec(line);
			if (field && sections.has(section)) {
				if (field[1] === 'remote') {
					remote = remote === '' ? field[2]! : `${remote} ${field[2]!}`;
					others.add(section === 'PATH' ? '' : hostOf(field[2]!));
				} else {
					revision = field[2]!;
				}
			}

			const sum = section === 'CHECKSUMS' ? /^ {2}(\S+ \([^)]*\)) (\S+)$/.exec(line) : null;
			if (sum) {
				checksums.set(sum[1]!, sum[2]!);
			}

			const gem = sections.has(section) ? /^ {4}(\S+) \(([^)]*)\)$/.exec(line) : null;
			// Bundler reads more in such a line than is read here.
			if (!gem && sections.has(section) && /^ {4}\S/.test(line)) {
				throw new Unreadable(`line ${index + 1} is not as Bundler writes it`);
			}

			if (gem) {
				gems.push({
					name: gem[1]!,
					version: gem[2]!,
					source: sourceOf(section, remote),
					// A plugin of Bundler's is run by it; a gem of the project's own is installed from nowhere.
					script: section === 'PLUGIN SOURCE' ? 'yes' : 'unknown',
					integrity: revision === '' ? [] : [revision],
				});
			}
		}

		others.delete('');
		return {
			packages: gems.map(gem => {
				const sum = checksums.get(`${gem.name} (${gem.version})`);
				return sum === undefined ? gem : {...gem, integrity: [...gem.integrity, sum]};
			}),
			hosts: [...others],
		};
	},
};
