import {gitAttack} from '../support/attack.ts';

gitAttack({
	title: 'move main',
	source: 'refs are in the common folder',
	script: () => 'git commit --quiet --allow-empty -m evil; git update-ref refs/heads/main HEAD; git branch --force main HEAD; echo "$(git rev-parse HEAD) refs/heads/main" > "$(git rev-parse --git-path packed-refs)"; git push --force "$(git rev-parse --git-common-dir)" HEAD:main',
	harmed: ({git, before}) => git('rev-parse', 'main') !== before,
});
