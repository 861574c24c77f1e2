import {gitAttack} from '../support/attack.ts';

gitAttack({
	title: 'delete the repository\'s objects',
	source: 'the object store is in the common folder',
	script: () => 'rm -rf "$(git rev-parse --git-common-dir)"/objects/??',
	harmed({git}) {
		try {
			git('fsck', '--full');
			git('cat-file', '-p', 'main^{tree}');
			return false;
		} catch {
			return true;
		}
	},
});
