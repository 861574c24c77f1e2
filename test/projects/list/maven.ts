import {fromMaven, write, type RealProject} from '../project.ts';

export const mavenSharedUtils: RealProject = {
	name: 'maven-shared-utils',
	kind: 'Maven, JUnit',
	from: 'Maven org.apache.maven.shared:maven-shared-utils:3.4.2',
	needs: ['java', 'mvn', 'python3'],
	lay(place) {
		fromMaven(place, {group: 'org.apache.maven.shared', name: 'maven-shared-utils', version: '3.4.2'});
		write(place, {'.gitignore': 'target\n'});
	},
	tests: 'mvn -B -ntp -o test',
	edits: 'src/main/java/org/apache/maven/shared/utils/StringUtils.java',
	line: '// A remark by an agent.',
};
