import {write, type RealProject} from '../project.ts';

export const gradle: RealProject = {
	name: 'gradle',
	kind: 'Gradle, JUnit',
	from: 'Maven junit:junit:4.13.2, com.google.guava:guava:33.5.0-jre',
	needs: ['java', 'gradle'],
	lay(place) {
		write(place, {
			'settings.gradle': "rootProject.name = 'names'\n",
			'build.gradle': [
				"plugins { id 'java' }",
				'repositories { mavenCentral() }',
				'dependencies {',
				"    testImplementation 'junit:junit:4.13.2'",
				"    implementation 'com.google.guava:guava:33.5.0-jre'",
				'}',
				'',
			].join('\n'),
			'.gitignore': 'build\n.gradle\n',
			'src/main/java/names/Names.java':
				'package names;\n\nimport com.google.common.base.CaseFormat;\n\npublic final class Names {\n    public static String camel(String text) {\n        return CaseFormat.LOWER_HYPHEN.to(CaseFormat.LOWER_CAMEL, text);\n    }\n}\n',
			'src/test/java/names/NamesTest.java':
				'package names;\n\nimport static org.junit.Assert.assertEquals;\n\nimport org.junit.Test;\n\npublic class NamesTest {\n    @Test\n    public void camel() {\n        assertEquals("aRealOne", Names.camel("a-real-one"));\n    }\n}\n',
		});
	},
	tests: 'gradle --no-daemon --offline --console=plain test',
	edits: 'src/main/java/names/Names.java',
	line: '// A remark by an agent.',
};
