from metier.environments import installer


def test_what_brings_no_plugin_is_not_removed(metier, plugins, monkeypatch):
    removed = []
    monkeypatch.setattr(installer, "uninstall", lambda package, *_: removed.append(package))
    plugins.write("acme", package="First.Acme")
    for other in ("numpy", "not-here", "acme"):
        refused = metier("plugin", "uninstall", other)
        assert (refused.code, refused.out) == (2, "")
        assert "expected: one of First.Acme" in refused.err
    assert removed == []
    assert metier("plugin", "uninstall", "first_acme").out == "removed first_acme\n"
    assert removed == ["first_acme"]
