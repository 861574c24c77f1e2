import {gitAttack} from '../support/attack.ts';

gitAttack({
	title: 'leave lock files, so that the person can no longer commit',
	source: 'a killed git leaves them, too',
	script: () => 'c=$(git rev-parse --git-common-dir); touch "$c/index.lock" "$c/HEAD.lock" "$c/refs/heads/main.lock" "$c/packed-refs.lock" "$c/config.lock"',
	harmed({git}) {
		try {
			git('commit', '--quiet', '--allow-empty', '--message=mine');
			return false;
		} catch {
			return true;
		}
	},
});
