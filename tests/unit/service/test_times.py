from pacbed.service.times import clock, iso, minute


def test_times_are_of_utc_wherever_the_server_stands(monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert iso(0.9) == "1970-01-01T00:00:00+00:00"
    assert minute(3600 * 24 * 365) == "1971-01-01 00:00 UTC"
    assert clock(61) == "01-01 00:01:01"
