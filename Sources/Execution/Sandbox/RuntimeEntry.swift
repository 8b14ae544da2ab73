/// What an agent's interpreter is given to run, as Python text: the published runtime.
///
/// The runtime is imported, not run by name: run by name there are two of it, and an agent that asks for one of its
/// exceptions gets the other's. An error's body can be read twice: the runtime (1.3.1 and 1.4.2) reads it for its trace,
/// reads it once more to see that a call waits for an approval, and would find nothing.
enum RuntimeEntry {
    static let source = #"""
        import io
        import urllib.error
        import urllib.request

        urlopen = urllib.request.urlopen


        class TwiceReadable(io.BytesIO):
            is_rewound = False

            def read(self, size=-1):
                data = super().read(size)
                if (size is None or size < 0) and not self.is_rewound:
                    self.is_rewound = True
                    self.seek(0)
                return data


        def urlopen_with_readable_errors(*arguments, **options):
            try:
                return urlopen(*arguments, **options)
            except urllib.error.HTTPError as error:
                body = TwiceReadable(error.read())
                raise urllib.error.HTTPError(error.filename, error.code, error.msg, error.headers, body) from None


        urllib.request.urlopen = urlopen_with_readable_errors

        from runagents import runtime

        runtime.main()
        """#
}
