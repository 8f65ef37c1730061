/**
 * Names that no statement from the port may use. A test compares these lists with what the engine itself lists, so that an
 * engine with a new table function or table engine is noticed.
 */

/** Table functions that read nothing but the database's own tables, or make rows up. Every other one is refused. */
export const allowedTableFunctions: ReadonlySet<string> = namesIn(`
  generateRandom generateSeries generate_series input loop merge mergeTreeAnalyzeIndexes mergeTreeIndex
  mergeTreeProjection null numbers numbers_mt primes values view viewExplain viewIfPermitted zeros zeros_mt
`)

/** Table functions that are refused wherever one of them is called. `format` is judged apart: a scalar function has that name too. */
export const refusedTableFunctions: ReadonlySet<string> = namesIn(`
  SQLStandardValues arrowFlight arrowStream cluster clusterAllReplicas cosn dictionary eval executable filesystem
  fuzzJSON fuzzQuery gcs hive jdbc mergeTreeAnalyzeIndexesUUID mergeTreeTextIndex mongodb mysql odbc oss postgresql
  prometheusQuery prometheusQueryRange python redis remote remoteSecure sqlite timeSeriesData timeSeriesMetrics
  timeSeriesSamples timeSeriesSelector timeSeriesTags ytsaurus
`).union(
  withClusters(
    `azureBlobStorage file hdfs hudi s3 url deltaLake deltaLakeAzure deltaLakeLocal deltaLakeS3 iceberg icebergAzure
    icebergHDFS icebergLocal icebergS3 paimon paimonAzure paimonHDFS paimonLocal paimonS3`,
  ),
)

/**
 * Refused wherever they stand, called or not: `arrayMap(file, paths)` and `APPLY(file)` call a function by its bare name. So no
 * column and no alias can have one of these names; none of our tables has such a column.
 */
export const refusedWords: ReadonlySet<string> = namesIn(`
  file infile outfile catboostEvaluate generateSerialID logTrace reverseDNSQuery showCertificate addressToLine
  addressToLineWithInlines addressToSymbol aiClassify aiEmbed aiExtract aiGenerate aiGenerateContent aiTranslate
`)

/** Settings that name a file, a server, an engine or another parser, or that undo what protects the server. */
export const refusedSettings: ReadonlySet<string> = namesIn(`
  dialect polyglot_dialect allow_experimental_kusto_dialect allow_experimental_prql_dialect
  allow_experimental_polyglot_dialect allow_experimental_ai_functions allow_introspection_functions format_schema
  format_schema_source output_format_schema format_template_row format_template_resultset
  format_avro_schema_registry_url input_format_record_errors_file_path into_outfile_create_parent_directories
  rename_files_after_processing input_format_values_interpret_expressions
  input_format_values_deduce_templates_of_expressions default_table_engine default_temporary_table_engine
  default_database_engine default_normal_view_sql_security default_materialized_view_sql_security default_view_definer
  dynamic_disk_allow_from_env dynamic_disk_allow_from_zk dynamic_disk_allow_include storage_policy ast_fuzzer_runs
  ast_fuzzer_any_query url_base
`)

/** Engines of tables and databases that keep their data in this server's own data directory or nowhere. */
export const allowedEngines: ReadonlySet<string> = namesIn(`
  MergeTree ReplacingMergeTree SummingMergeTree AggregatingMergeTree CoalescingMergeTree CollapsingMergeTree
  VersionedCollapsingMergeTree Memory Null Log TinyLog StripeLog Set Join Merge Buffer View MaterializedView Atomic
`)

/** Formats that read a schema or a template from a file, or ask a server for it. */
export const refusedFormats: ReadonlySet<string> = namesIn(`
  AvroConfluent Template TemplateIgnoreSpaces CapnProto Protobuf ProtobufList ProtobufSingle
`)

/** Compared in lower case: the engine knows most of them in several. */
function namesIn(list: string): ReadonlySet<string> {
  return new Set(list.toLowerCase().trim().split(/\s+/))
}

function withClusters(list: string): ReadonlySet<string> {
  const names = namesIn(list)
  return names.union(new Set([...names].map((name) => `${name}cluster`)))
}
