BASE = 'http://localhost:51515'
