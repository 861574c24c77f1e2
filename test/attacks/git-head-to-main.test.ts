import {gitAttack} from '../support/attack.ts';

gitAttack({
	title: 'point HEAD at main and commit',
	source: 'HEAD of a worktree is a file',
	script: () => 'git symbolic-ref HEAD refs/heads/main; git commit --quiet --allow-empty -m evil; printf "ref: refs/heads/main\\n" > "$(git rev-parse --git-path HEAD)"; git commit --quiet --allow-empty -m evil',
	harmed: ({git, before}) => git('rev-parse', 'main') !== before,
});
