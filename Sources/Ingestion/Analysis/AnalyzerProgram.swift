/// The analyzer's text: the files of `Python/`, one after another.
enum AnalyzerProgram {
    static let source = [
        PackageResources.limits_py,
        PackageResources.tables_py,
        PackageResources.secrets_py,
        PackageResources.findings_py,
        PackageResources.modules_py,
        PackageResources.names_py,
        PackageResources.values_py,
        PackageResources.models_py,
        PackageResources.http_calls_py,
        PackageResources.tools_py,
        PackageResources.python_sources_py,
        PackageResources.scripts_py,
        PackageResources.script_sources_py,
        PackageResources.requirements_py,
        PackageResources.entry_points_py,
        PackageResources.overview_py,
        PackageResources.main_py,
    ].map { String(decoding: $0, as: UTF8.self) }.joined(separator: "\n")
}
