// Specimen thickness of the front image, asked of a pacbed look-up service.
//
// The dialog shows and collects texts; all the rest is Python, in the folder pacbed_client beside this file. Texts
// travel through persistent tags below "PACBED", and the Python code is always the same: what somebody types is never
// part of it. Written after public scripts for GMS 3.4 and later. It has not been run in GMS.

string PacbedGet( string name )
{
	string value = ""
	GetPersistentStringNote( "PACBED:" + name, value )
	return value
}

void PacbedPut( string name, string value )
{
	SetPersistentStringNote( "PACBED:" + name, value )
}

// Calls Python and waits for it. Returns 1 if it did what it was asked.
number PacbedCall( string name )
{
	PacbedPut( "call", name )
	PacbedPut( "answer:state", "" )
	PacbedPut( "answer:error", "Python did not start: is pacbed_client in the folder of the setup?" )
	string code = ""
	code += "import sys\n"
	code += "import DigitalMicrograph\n"
	code += "found, folder = DigitalMicrograph.GetPersistentTagGroup().GetTagAsString('PACBED:setup:folder')\n"
	code += "folder = folder.decode('cp1252', 'replace') if isinstance(folder, bytes) else folder\n"
	code += "if found and folder and folder not in sys.path:\n"
	code += "    sys.path.insert(0, folder)\n"
	code += "from pacbed_client import gms\n"
	code += "gms.run(DigitalMicrograph)\n"
	try
	{
		ExecutePythonScriptString( code )
	}
	catch
	{
		break
	}
	return PacbedGet( "answer:state" ) == "done"
}

// Asks for what does not change: where the client lies, and where the service is. Returns 0 if the user had enough.
number PacbedSetup()
{
	string folder, service
	if ( !GetDirectoryDialog( "Select the folder that holds pacbed_client", PacbedGet( "setup:folder" ), folder ) )
		return 0
	service = PacbedGet( "setup:service" )
	if ( service == "" )
		service = "http://127.0.0.1:8230"
	if ( !GetString( "URL of the service, or the file with its token:", service, service ) )
		return 0
	PacbedPut( "setup:folder", folder )
	PacbedPut( "setup:service", service )
	return 1
}

class PacbedDialog : UIFrame
{
	void ShowAnswer( object self )
	{
		number place
		for ( place = 1; place <= 6; place++ )
			self.LookUpElement( "line" + place ).DLGTitle( PacbedGet( "answer:line " + place ) )
	}

	void ShowError( object self )
	{
		number place
		for ( place = 1; place <= 6; place++ )
			self.LookUpElement( "line" + place ).DLGTitle( "" )
		self.LookUpElement( "line1" ).DLGTitle( "no answer" )
		OkDialog( PacbedGet( "answer:error" ) )
	}

	// Joins what Python could only show channel by channel.
	void ShowSheet( object self )
	{
		image red := FindImageByID( val( PacbedGet( "answer:red" ) ) )
		image green := FindImageByID( val( PacbedGet( "answer:green" ) ) )
		image blue := FindImageByID( val( PacbedGet( "answer:blue" ) ) )
		image sheet := RGB( red, green, blue )
		TagGroupCopyTagsFrom( ImageGetTagGroup( sheet ), ImageGetTagGroup( red ) )
		SetName( sheet, PacbedGet( "answer:title" ) )
		ShowImage( sheet )
		DeleteImage( red )
		DeleteImage( green )
		DeleteImage( blue )
	}

	void OnReadImage( object self )
	{
		if ( CountDocumentWindowsOfType( 5 ) < 1 )
		{
			OkDialog( "There is no image: open or record a pattern first." )
			return
		}
		image front := GetFrontImage()
		if ( ImageIsDataTypeRGB( front ) || ImageIsDataTypeComplex( front ) )
		{
			OkDialog( "The front image is in colour or complex: a pattern of counts is needed." )
			return
		}
		if ( !PacbedCall( "read image" ) )
		{
			self.ShowError()
			return
		}
		self.LookUpElement( "image" ).DLGTitle( PacbedGet( "image:label" ) )
		self.LookUpElement( "note" ).DLGTitle( PacbedGet( "image:note" ) )
		self.DLGValue( "voltage", PacbedGet( "image:voltage_kv" ) )
		self.DLGValue( "convergence", PacbedGet( "image:convergence_mrad" ) )
		self.DLGValue( "pixel", PacbedGet( "image:pixel_mrad" ) )
	}

	void OnLookUp( object self )
	{
		string voltage, convergence, pixel
		number chosen
		self.DLGGetValue( "voltage", voltage )
		self.DLGGetValue( "convergence", convergence )
		self.DLGGetValue( "pixel", pixel )
		self.DLGGetValue( "bundle", chosen )
		string bundle = ""
		if ( chosen > 0 )
			bundle = PacbedGet( "bundles:name " + chosen )
		PacbedPut( "asked:bundle", bundle )
		PacbedPut( "asked:voltage_kv", voltage )
		PacbedPut( "asked:convergence_mrad", convergence )
		PacbedPut( "asked:pixel_mrad", pixel )
		self.LookUpElement( "line1" ).DLGTitle( "asking ..." )
		if ( PacbedCall( "look up" ) )
		{
			self.ShowAnswer()
			self.ShowSheet()
		}
		else
			self.ShowError()
	}

	TagGroup Field( object self, string label, string identifier )
	{
		TagGroup name = DLGCreateLabel( label, 34 ).DLGAnchor( "West" )
		TagGroup field = DLGCreateStringField( "", 14 ).DLGIdentifier( identifier )
		return DLGGroupItems( name, field ).DLGTableLayout( 2, 1, 0 ).DLGAnchor( "West" )
	}

	TagGroup Bundles( object self )
	{
		TagGroup items
		TagGroup choice = DLGCreateChoice( items, 0 ).DLGIdentifier( "bundle" ).DLGAnchor( "West" )
		choice.DLGAddChoiceItemEntry( "choose a crystal, its axis and voltage" )
		number place, count = val( PacbedGet( "bundles:count" ) )
		for ( place = 1; place <= count; place++ )
			choice.DLGAddChoiceItemEntry( PacbedGet( "bundles:label " + place ) )
		return choice
	}

	object Build( object self )
	{
		TagGroup items
		TagGroup dialog = DLGCreateDialog( "PACBED thickness", items )
		dialog.DLGAddElement( DLGCreatePushButton( "Read front image", "OnReadImage" ) )
		dialog.DLGAddElement( DLGCreateLabel( "no image yet", 64 ).DLGIdentifier( "image" ).DLGAnchor( "West" ) )
		dialog.DLGAddElement( DLGCreateLabel( "", 64 ).DLGIdentifier( "note" ).DLGAnchor( "West" ) )
		dialog.DLGAddElement( self.Bundles() )
		dialog.DLGAddElement( self.Field( "acceleration voltage [kV]", "voltage" ) )
		dialog.DLGAddElement( self.Field( "semi-convergence angle [mrad]", "convergence" ) )
		dialog.DLGAddElement( self.Field( "pixel size [mrad], may stay empty", "pixel" ) )
		dialog.DLGAddElement( DLGCreatePushButton( "Find thickness", "OnLookUp" ) )
		number place
		for ( place = 1; place <= 6; place++ )
			dialog.DLGAddElement( DLGCreateLabel( "", 64 ).DLGIdentifier( "line" + place ).DLGAnchor( "West" ) )
		return self.super.Init( dialog )
	}
}

void PacbedStart()
{
	number ready = 0
	if ( PacbedGet( "setup:folder" ) != "" )
		ready = PacbedCall( "list bundles" )
	while ( !ready )
	{
		if ( PacbedGet( "setup:folder" ) != "" )
			OkDialog( PacbedGet( "answer:error" ) )
		if ( !PacbedSetup() )
			return
		ready = PacbedCall( "list bundles" )
	}
	Alloc( PacbedDialog ).Build().Display( "PACBED thickness" )
}

PacbedStart()
