#include "preview_settings.h"

namespace restate::app {

void AddPreviewOptions(CLI::App& render, CLI::App& diff, Settings& settings) {
  for (CLI::App* command : {&render, &diff}) {
    command->add_option("-f,--filename", settings.files, "File with objects, YAML or JSON; - is the standard input")
        ->required()
        ->type_name("FILE");
    command->add_option("-n,--namespace", settings.object_namespace, "Namespace of objects that name none")
        ->type_name("NAME");
    command->footer("\nIt takes the operator's flags and variables as well: restate-operator --help.");
  }
  render
      .add_option_function<std::string>(
          "-o,--output", [&](const std::string& format) { settings.json_output = format == "json"; },
          "yaml (default) or json")
      ->check(CLI::IsMember({"yaml", "json"}));
}

}  // namespace restate::app
