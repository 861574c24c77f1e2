import {fromGo, type RealProject} from '../project.ts';

export const uuid: RealProject = {
	name: 'uuid',
	kind: 'Go, no dependencies',
	from: 'Go github.com/google/uuid@v1.6.0',
	needs: ['go'],
	lay: place => fromGo(place, 'github.com/google/uuid@v1.6.0'),
	tests: 'go test ./...',
	edits: 'util.go',
	line: '// A remark by an agent.',
};

export const cobra: RealProject = {
	name: 'cobra',
	kind: 'Go modules',
	from: 'Go github.com/spf13/cobra@v1.9.1',
	needs: ['go'],
	lay: place => fromGo(place, 'github.com/spf13/cobra@v1.9.1'),
	tests: 'go test ./...',
	edits: 'cobra.go',
	line: '// A remark by an agent.',
};
